import { expect, test } from "vitest";
import { readAll } from "./paging";

test("a list is read to its last page, in order", async () => {
  const pages = new Map([
    [undefined, { items: ["Ann", "Bob"], next_cursor: "b" }],
    ["b", { items: ["Cid"], next_cursor: null }],
  ]);
  const asked: (string | undefined)[] = [];
  const found = await readAll(async (cursor) => {
    asked.push(cursor);
    return pages.get(cursor) ?? { items: [] };
  });
  expect(found).toEqual(["Ann", "Bob", "Cid"]);
  expect(asked).toEqual([undefined, "b"]);
});
