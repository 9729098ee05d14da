/** Calls to the service this page came from. Same origin only: cookies ride along, nothing else is contacted. */
import { noteServerTime } from "../clock/server";
import { newId } from "./ids";
import { readProblem, Unreachable } from "./problem";

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface CallOptions {
  query?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is (photos). */
  bytes?: { data: ArrayBuffer | Blob; mime: string };
  /** Unsafe calls always carry a key; give one to make a later retry the same call. */
  idempotencyKey?: string;
  /** Further headers. */
  headers?: Readonly<Record<string, string>>;
  /** Version of the case the person was looking at. */
  ifMatch?: number;
  /** Milliseconds until the call counts as unanswered. */
  timeout?: number;
  signal?: AbortSignal;
  /** Sent to its end also when the page goes. */
  keepalive?: boolean;
}

type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

const USUAL_TIMEOUT = 20_000;
const lostSession = new Set<() => void>();

let signInsSoFar = 0;

/** Another sign-in begins, or the one there was ends: answers to what was asked before say nothing about it. */
export function noteSignIn(): void {
  signInsSoFar += 1;
}

/** Which sign-in a question is asked under. */
export function signInNumber(): number {
  return signInsSoFar;
}

/** Be told when the service no longer knows who we are. Returns how to stop listening. */
export function onSessionLost(listener: () => void): () => void {
  lostSession.add(listener);
  return () => lostSession.delete(listener);
}

/** A path with its query; null and undefined are left out. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const tail = parameters.toString();
  return tail ? `${path}?${tail}` : path;
}

function headersOf(method: Method, options: CallOptions): Headers {
  const headers = new Headers({ Accept: "application/json", "Accept-Language": document.documentElement.lang });
  if (options.json !== undefined) headers.set("Content-Type", "application/json");
  if (options.bytes) headers.set("Content-Type", options.bytes.mime);
  if (method !== "GET" && method !== "HEAD") headers.set("Idempotency-Key", options.idempotencyKey ?? newId());
  if (options.ifMatch !== undefined) headers.set("If-Match", `"${options.ifMatch}"`);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  return headers;
}

/** Send and read to the end, all within the time limit: a line may break in the middle of an answer too. */
async function send(method: Method, path: string, options: CallOptions): Promise<[Response, string]> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), options.timeout ?? USUAL_TIMEOUT);
  const stop = () => abort.abort();
  options.signal?.addEventListener("abort", stop);
  const started = Date.now();
  try {
    const response = await fetch(address(path, options.query), {
      method,
      headers: headersOf(method, options),
      body: options.bytes ? options.bytes.data : options.json === undefined ? null : JSON.stringify(options.json),
      credentials: "same-origin",
      cache: "no-store",
      signal: abort.signal,
      ...(options.keepalive ? { keepalive: true } : {}),
    });
    noteServerTime(response.headers.get("date"), started, Date.now());
    return [response, await response.text()];
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
  }
}

/** What came back, with the headers for who needs them. `body` is undefined where the answer has none. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** One call. Raises `Problem` for a refusal and `Unreachable` for silence, or for an answer that is not the service's. */
export async function exchange<T>(method: Method, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const asked = signInNumber();
  const [response, text] = await send(method, path, options);
  if (!response.ok) {
    const problem = readProblem(response.status, response.headers, text);
    if (problem.status === 401 && asked === signInNumber()) for (const listener of lostSession) listener();
    throw problem;
  }
  return { status: response.status, headers: response.headers, body: bodyOf<T>(text) };
}

/** A hotel's sign-in page answers 200 as well, but not in JSON. */
function bodyOf<T>(text: string): T {
  if (text === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Unreachable("the answer is not the service's");
  }
}

/** One call, for its body alone. */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  return (await exchange<T>(method, path, options)).body;
}

export const api = {
  get: <T>(path: string, query?: Query, options: CallOptions = {}) => call<T>("GET", path, { ...options, query }),
  post: <T>(path: string, json: unknown, options: CallOptions = {}) => call<T>("POST", path, { ...options, json }),
  patch: <T>(path: string, json: unknown, options: CallOptions = {}) => call<T>("PATCH", path, { ...options, json }),
  put: <T>(path: string, data: ArrayBuffer | Blob, mime: string, options: CallOptions = {}) =>
    call<T>("PUT", path, { ...options, bytes: { data, mime } }),
  delete: (path: string, options: CallOptions = {}) => call<void>("DELETE", path, options),
};
