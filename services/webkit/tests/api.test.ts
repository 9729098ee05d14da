import { afterEach, describe, expect, it, vi } from "vitest";
import { api, exchange, Problem, Unreachable } from "../src/api";

const answering = (body: BodyInit | null, init: ResponseInit = {}) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));

/** A connection that breaks in the middle of the answer. */
function broken(): ReadableStream {
  return new ReadableStream({
    start(line) {
      line.enqueue(new TextEncoder().encode('{"id": "r'));
      line.error(new TypeError("connection reset"));
    },
  });
}

async function refusal(): Promise<Problem> {
  const error: unknown = await api.get("/x").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

afterEach(() => vi.unstubAllGlobals());

describe("an answer", () => {
  it("that breaks off in the middle is no answer", async () => {
    answering(broken());
    await expect(api.get("/x")).rejects.toBeInstanceOf(Unreachable);
  });

  it("that a hotel gives instead of the service is none", async () => {
    answering("<h1>请登录无线网络</h1>", { headers: { "content-type": "text/html" } });
    await expect(api.get("/x")).rejects.toBeInstanceOf(Unreachable);
  });

  it("without a body has none, and its headers can be read", async () => {
    answering(null, { status: 204, headers: { "upload-offset": "7" } });
    const answer = await exchange("HEAD", "/x");
    expect([answer.status, answer.headers.get("upload-offset"), answer.body]).toEqual([204, "7", undefined]);
  });
});

describe("a refusal", () => {
  it("of a proxy is known by its status alone", async () => {
    answering("<h1>502 Bad Gateway</h1>", { status: 502 });
    const problem = await refusal();
    expect([problem.code, problem.temporary]).toEqual(["http_502", true]);
  });

  it.each([
    ["120", 120],
    ["Sun, 22 Nov 2026 12:02:00 GMT", 120],
    ["soon", null],
    ["-5", null],
  ])("that says Retry-After: %s asks for %s seconds", async (said, seconds) => {
    answering("{}", { status: 503, headers: { "retry-after": said, date: "Sun, 22 Nov 2026 12:00:00 GMT" } });
    expect((await refusal()).retryAfter).toBe(seconds);
  });
});
