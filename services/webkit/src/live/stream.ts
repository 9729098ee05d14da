/** Text of an event stream, cut into events. Fed with pieces of any length. */

export interface StreamEvent {
  type: string;
  data: string;
  id: string | null;
}

export class StreamReader {
  private rest = "";
  private type = "";
  private data: string[] = [];
  private id: string | null = null;

  /** Events that this piece completes. Comments complete nothing, but show that the line is alive. */
  feed(piece: string): StreamEvent[] {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    const found: StreamEvent[] = [];
    for (const line of lines) {
      const event = this.line(line);
      if (event) found.push(event);
    }
    return found;
  }

  private line(line: string): StreamEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id") this.id = value;
    return null;
  }

  private dispatch(): StreamEvent | null {
    const event = { type: this.type || "message", data: this.data.join("\n"), id: this.id };
    const empty = this.data.length === 0;
    this.type = "";
    this.data = [];
    return empty ? null : event;
  }
}
