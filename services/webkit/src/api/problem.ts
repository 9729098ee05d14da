/** What a service answers when it refuses (RFC 9457), and what we say when it does not answer at all. */

export interface FieldError {
  field: string;
  message: string;
}

/** The service answered with a refusal. `code` is stable; `detail` is a sentence in the user's language. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    readonly requestId: string | null = null,
    /** The whole body: conflicts carry who changed what, refused moves carry what is allowed. */
    readonly body: Readonly<Record<string, unknown>> = {},
    /** Seconds to wait before another try, where the service said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail || title || code);
  }

  /** Whether the same request may succeed later without anybody changing it. */
  get temporary(): boolean {
    return this.status >= 500 || this.status === 408 || this.status === 425 || this.status === 429;
  }
}

/** No answer: no network, the service is down, or it took too long. The request may or may not have arrived. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  const found: FieldError[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== "object" || item === null) continue;
    const row = item as Record<string, unknown>;
    found.push({
      field: text(row["field"]),
      message: [text(row["message"]) || text(row["detail"]), text(row["remedy"])].filter(Boolean).join(" "),
    });
  }
  return found;
}

/** Seconds to wait, said as a number or as a moment of the service's own clock. */
function waitOf(headers: Headers): number | null {
  const said = headers.get("retry-after");
  if (said === null || said.trim() === "") return null;
  const seconds = Number(said);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(said) - Date.parse(headers.get("date") ?? "")) / 1000;
  return Number.isFinite(wait) && wait > 0 ? wait : null;
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Read a refusal. A body that is no problem document (a proxy's page) still becomes a Problem, `http_<status>`. */
export function readProblem(status: number, headers: Headers, answer: string): Problem {
  const body = parsed(answer);
  return new Problem(
    status,
    text(body["code"]) || `http_${status}`,
    text(body["title"]),
    text(body["detail"]),
    fieldErrors(body["errors"]),
    headers.get("x-request-id") ?? (text(body["instance"]).replace("urn:request:", "") || null),
    body,
    waitOf(headers),
  );
}
