/**
 * Many phones in one process, each with the outbox as it is shipped: the same store, sender, lease and calls. Only what
 * a browser would give is made up here: a store in memory, a cookie jar, and a clock that runs faster.
 *
 * Reads its orders as one JSON document from standard input, writes a line of JSON for each receipt, and ends when every
 * outbox is empty.
 */
import "fake-indexeddb/auto";
import { AsyncLocalStorage } from "node:async_hooks";
import { text } from "node:stream/consumers";
import { aloneOn } from "../../src/outbox/alone";
import { http } from "../../src/outbox/http";
import { Sender, type Transport } from "../../src/outbox/sender";
import { Shelf, type Filled } from "../../src/outbox/shelf";
import type { ReportIn } from "../../src/types";

interface Order {
  id: string;
  /** Milliseconds after the start. */
  after: number;
  report: ReportIn;
  photos: { id: string; mime: string; sha256: string; base64: string }[];
}

interface Orders {
  address: string;
  /** How much faster than ours the phones' clocks run: they wait for seconds where people wait for minutes. */
  speed: number;
  /** Each phone is switched off in the middle so often. */
  deaths: number;
  /** A fault built in on purpose, to see that it is found: every try has a key of its own. */
  planted: "fresh_keys" | null;
  /** The answer to the first so many reports of each phone is lost. */
  lost: number;
  phones: { account: string; cookie: string; orders: Order[] }[];
}

const TRY_EVERY = 15_000;

interface Jar {
  cookie: string;
  lost: number;
}

const jars = new AsyncLocalStorage<Jar>();
const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const never = () => new Promise<never>(() => undefined);
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** What a browser adds to a call, and a line that loses answers. */
function dressed(address: string): typeof fetch {
  const plain = globalThis.fetch;
  return async (path, init = {}) => {
    const jar = jars.getStore()!;
    const headers = new Headers(init.headers);
    headers.set("Cookie", jar.cookie);
    headers.set("Origin", address);
    const answer = await plain(`${address}${String(path)}`, { ...init, headers });
    if (init.method === "POST" && jar.lost > 0) {
      jar.lost -= 1;
      await answer.text();
      throw new TypeError("the answer was lost");
    }
    return answer;
  };
}

function filled(account: string, order: Order, now: number): Filled {
  const photos = order.photos.map(({ base64, ...named }) => {
    const bytes = Uint8Array.from(Buffer.from(base64, "base64")).buffer;
    return { ...named, bytes, width: 1, height: 1, sent: false };
  });
  const rest = { state: "waiting", attempts: 0, nextAt: 0, refusal: null, receipt: null } as const;
  return { id: order.id, account, createdAt: now, report: order.report, photos, ...rest };
}

class Phone {
  private sender: Sender;
  /** Pages of this phone so far; what an earlier one still does comes to nothing. */
  private life = 0;
  private died = 0;

  private constructor(
    private readonly orders: Orders,
    private readonly phone: Orders["phones"][number],
    private readonly number: number,
    private readonly shelf: Shelf,
    private readonly clock: () => number,
  ) {
    this.sender = this.page();
  }

  static async run(orders: Orders, number: number, clock: () => number): Promise<void> {
    const shelf = await Shelf.open(`phone-${number}`);
    await new Phone(orders, orders.phones[number]!, number, shelf, clock).work();
  }

  /** The page as it starts: a sender with the store it finds. */
  private page(): Sender {
    this.life += 1;
    return new Sender({
      shelf: this.shelf,
      transport: this.dying(this.life),
      alone: aloneOn(this.shelf, `page-${this.number}-${this.life}`, this.clock),
      clock: this.clock,
      serverClock: Date.now,
      account: () => this.phone.account,
      changed: () => undefined,
      stranger: () => say({ kind: "stranger", phone: this.number }),
    });
  }

  /** The shipped calls, of a page that may be gone before its answer comes. */
  private dying(life: number): Transport {
    const alive = async <T>(call: Promise<T>): Promise<T> => {
      try {
        return await call;
      } finally {
        if (life !== this.life) await never();
      }
    };
    const fresh = this.orders.planted === "fresh_keys";
    return {
      report: (body, key, account) => alive(http.report(body, fresh ? crypto.randomUUID() : key, account)),
      deed: (...given) => alive(http.deed(...given)),
      received: (...given) => alive(http.received(...given)),
      piece: (...given) => alive(http.piece(...given)),
    };
  }

  private async work(): Promise<void> {
    const { orders } = this.phone;
    let submitted = false;
    void Promise.all(orders.map((order) => this.submit(order))).then(() => {
      submitted = true;
    });
    const told = new Set<string>();
    for (;;) {
      const left = await this.shelf.waiting(this.phone.account);
      await this.tell(told);
      if (submitted && left.every((one) => one.state === "needs_fix")) break;
      await wait(TRY_EVERY / this.orders.speed);
      if (this.died < this.orders.deaths && left.length > 0) this.die();
      void this.sender.flush();
    }
    for (const { id } of orders) {
      if (!told.has(id)) say({ kind: "stuck", id, refusal: (await this.shelf.find(id))?.refusal });
    }
  }

  /** What has its receipt by now. */
  private async tell(told: Set<string>): Promise<void> {
    for (const { id } of this.phone.orders) {
      const sent = told.has(id) ? undefined : await this.shelf.sent(id);
      if (!sent) continue;
      told.add(id);
      say({ kind: "receipt", id, receipt: sent.receipt, refused: sent.refusedPhotos });
    }
  }

  private async submit(order: Order): Promise<void> {
    await wait(order.after);
    await this.shelf.put(filled(this.phone.account, order, this.clock()));
    void this.sender.flush(true);
  }

  /** The browser is killed with a call under way, and opened again. */
  private die(): void {
    this.died += 1;
    this.sender = this.page();
  }
}

async function main(): Promise<void> {
  const orders = JSON.parse(await text(process.stdin)) as Orders;
  const began = Date.now();
  const clock = () => began + (Date.now() - began) * orders.speed;
  Object.assign(globalThis, { document: { documentElement: { lang: "zh-CN" } }, fetch: dressed(orders.address) });
  Object.defineProperty(globalThis, "navigator", { value: {} }); // an old web view: no locks, a lease has to do
  await Promise.all(
    orders.phones.map(({ cookie }, number) => jars.run({ cookie, lost: orders.lost }, () => Phone.run(orders, number, clock))),
  );
  process.exit(0);
}

await main();
