import { expect, it } from "vitest";
import { mentionAt, mentioned, slashWord, withMention } from "./shorthand";

it("takes a slash for a shortcut only at the very beginning", () => {
  expect(slashWord("/hel")).toBe("hel");
  expect(slashWord("/")).toBe("");
  expect(slashWord("see /hel")).toBeNull();
  expect(slashWord("/hello there")).toBeNull();
  expect(slashWord("/usr/bin")).toBeNull();
});

it("finds the name that is being typed", () => {
  const text = "ask @سار";
  expect(mentionAt(text, text.length)?.matches("سارا محمدی")).toBe(true);
  expect(mentionAt("me@example.com", 14)).toBeNull();
});

it("puts a name in place and knows whom a note mentions", () => {
  const people = [
    { id: "1", name: "Sara" },
    { id: "2", name: "Luis" },
  ];
  const text = withMention("please look @sa", 15, "Sara");
  expect(text).toBe("please look @Sara ");
  expect(mentioned(text, people)).toEqual(["1"]);
});
