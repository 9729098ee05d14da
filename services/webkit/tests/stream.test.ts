import { describe, expect, it } from "vitest";
import { StreamReader } from "../src/live/stream";

const TEXT = ': beat\n\nid: c1\nevent: case.changed\ndata: {"a":\ndata: 1}\n\nevent: reset\ndata: {}\n\n';
const EVENTS = [
  { type: "case.changed", data: '{"a":\n1}', id: "c1" },
  { type: "reset", data: "{}", id: "c1" },
];

describe("an event stream", () => {
  it("is the same however it is cut", () => {
    for (let cut = 0; cut <= TEXT.length; cut += 1) {
      const reader = new StreamReader();
      expect([...reader.feed(TEXT.slice(0, cut)), ...reader.feed(TEXT.slice(cut))]).toEqual(EVENTS);
    }
  });

  it("reads CRLF, also cut between the two characters", () => {
    const text = TEXT.replace(/\n/g, "\r\n");
    for (let cut = 0; cut <= text.length; cut += 1) {
      const reader = new StreamReader();
      expect([...reader.feed(text.slice(0, cut)), ...reader.feed(text.slice(cut))]).toEqual(EVENTS);
    }
  });

  it("makes no event of a comment", () => expect(new StreamReader().feed(": beat\n\n")).toEqual([]));
});
