import { expect, it } from "vitest";
import type { Message, Note } from "./api";
import { woven } from "./timeline";

const message = (seq: number, second: string) => ({ seq, created_at: `2026-01-01T10:00:${second}Z` }) as Message;
const note = (text: string, second: string) => ({ text, created_at: `2026-01-01T10:00:${second}Z` }) as Note;

it("keeps messages in the order of their numbers, whatever their clocks said, with notes between them", () => {
  const messages = [message(1, "01"), message(2, "05.200"), message(3, "05"), message(4, "09")];
  const items = woven(messages, [note("last", "30"), note("middle", "07"), note("first", "00")]);
  expect(items.map((item) => item.message?.seq ?? item.note?.text)).toEqual(["first", 1, 2, 3, "middle", 4, "last"]);
});
