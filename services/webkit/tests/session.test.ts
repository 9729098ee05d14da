import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "../src/api";
import { session, signIn, whoami } from "../src/session";

const PERSON = { account_id: "b", login: "zhibu01", name: "乙", lang: "zh-CN", posts: [], sample: true, rights: [] };
const REFUSED = new Response(JSON.stringify({ code: "not_signed_in", title: "请先登录" }), { status: 401 });

/** A service whose answers to GET come when the test says so; a sign-in is answered at once. */
function holding(): ((answer: Response) => void)[] {
  const held: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", (_: string, { method }: RequestInit) =>
    method === "POST" ? Promise.resolve(new Response(JSON.stringify(PERSON))) : new Promise<Response>((tell) => held.push(tell)),
  );
  return held;
}

afterEach(() => vi.unstubAllGlobals());

describe("a sign-in", () => {
  it("is not ended by the answers to what was asked before it", async () => {
    const held = holding();
    const asked = [whoami(), api.get("/api/v1/places").catch((error: unknown) => error)];
    await signIn("zhibu01", "x");
    for (const tell of held) tell(REFUSED.clone());
    await Promise.all(asked);
    expect([session.state, session.person?.account_id]).toEqual(["in", "b"]);
  });

  it("is ended by the answer to what was asked under it", async () => {
    const held = holding();
    await signIn("zhibu01", "x");
    const asked = api.get("/api/v1/places").catch((error: unknown) => error);
    for (const tell of held) tell(REFUSED.clone());
    await asked;
    expect([session.state, session.person]).toEqual(["out", null]);
  });

  it("that has ended is not brought back by an answer from before", async () => {
    const held = holding();
    await signIn("zhibu01", "x");
    const asked = [whoami(), api.get("/api/v1/places").catch((error: unknown) => error)];
    held[1]?.(REFUSED.clone());
    await asked[1];
    held[0]?.(new Response(JSON.stringify(PERSON)));
    await asked[0];
    expect(session.state).toBe("out");
  });
});
