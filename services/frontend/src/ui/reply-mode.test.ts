import { expect, it } from "vitest";
import { replyMode } from "./reply-mode";

it.each([
  [{ mode: "no_answer", handoff_offered: true }, "no_answer"],
  [{ mode: "no_answer", handoff_offered: false }, "unsourced"],
  [{ mode: "extractive", handoff_offered: false }, "extractive"],
  [{ mode: "model", handoff_offered: true }, "model"],
])("%j is named %s", (reply, named) => {
  expect(replyMode(reply)).toBe(named);
});
