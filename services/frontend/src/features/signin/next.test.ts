import { expect, it } from "vitest";
import { insideOnly } from "./next";
import { tokenOf } from "./token-page";

it.each([
  [undefined, "/"],
  ["/t/1/inbox", "/t/1/inbox"],
  ["/console/t/1/inbox", "/t/1/inbox"],
  ["/console", "/"],
  ["https://evil.example/", "/"],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
])("%s leads to %s", (next, page) => {
  expect(insideOnly(next)).toBe(page);
});

it("reads the token behind the #", () => {
  expect(tokenOf("#token=abc_1-2")).toBe("abc_1-2");
  expect(tokenOf("")).toBe("");
});
