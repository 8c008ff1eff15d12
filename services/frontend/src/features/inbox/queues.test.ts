import { expect, it } from "vitest";
import { english } from "../../../tests/render";
import { QUEUES } from "./api";

it("says of each empty queue what belongs there", () => {
  const said = QUEUES.map((queue) => english.named("queue_empty", queue, ""));
  expect(said).not.toContain("");
  expect(new Set(said).size).toBe(QUEUES.length);
});
