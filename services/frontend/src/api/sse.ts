/** Server-sent events out of a byte stream (WHATWG HTML, section 9.2), for `fetch`, which can carry a bearer token. */

export interface ServerEvent {
  name: string;
  data: string;
  /** Where to resume from after this one; undefined where the event has no place of its own. */
  id: string | undefined;
}

function parseFrame(frame: string): ServerEvent | null {
  let name = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of frame.split("\n")) {
    if (line.startsWith(":")) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }
  return data.length > 0 ? { name, data: data.join("\n"), id } : null;
}

/** Takes text as it comes, in pieces of any length, and gives the events that are whole. */
export class EventParser {
  #rest = "";

  push(text: string): ServerEvent[] {
    // A carriage return at the end may be half of a line end: it waits for the next piece.
    const [, whole = "", half = ""] = /^([\s\S]*?)(\r?)$/.exec(this.#rest + text) ?? [];
    const frames = whole.replace(/\r\n?/g, "\n").split("\n\n");
    this.#rest = (frames.pop() ?? "") + half;
    return frames.map(parseFrame).filter((event) => event !== null);
  }
}
