import { describe, expect, it } from "vitest";
import { registerWorker } from "../src/shell/register";

/** What the browser holds of workers, as far as the page uses it. */
class Workers extends EventTarget {
  readonly asked: unknown[] = [];

  constructor(
    readonly controller: object | null,
    private readonly waiting: boolean,
  ) {
    super();
  }

  register() {
    const waiting = { postMessage: (words: unknown) => this.asked.push(words) };
    return Promise.resolve({ waiting: this.waiting ? waiting : null });
  }
}

async function started(controller: object | null, waiting: boolean): Promise<[Workers, () => number]> {
  const workers = new Workers(controller, waiting);
  let reloads = 0;
  await registerWorker(workers as unknown as ServiceWorkerContainer, "/m/sw.js", () => {
    reloads += 1;
  });
  return [workers, () => reloads];
}

describe("a page that starts", () => {
  it("lets a version that waits take over, and starts once more with it", async () => {
    const [workers, reloads] = await started({}, true);
    expect(workers.asked).toEqual(["take over"]);
    expect(reloads()).toBe(0);
    for (let i = 0; i < 2; i += 1) workers.dispatchEvent(new Event("controllerchange"));
    expect(reloads()).toBe(1);
  });

  it.each([
    ["no version waits", {}, false],
    ["it ran without a worker", null, true],
  ])("goes on as it is where %s", async (_when, controller, waiting) => {
    const [workers, reloads] = await started(controller, waiting);
    workers.dispatchEvent(new Event("controllerchange"));
    expect([workers.asked, reloads()]).toEqual([[], 0]);
  });
});
