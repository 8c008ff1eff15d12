import { expect, it } from "vitest";
import { renderIn } from "../../../tests/render";
import type { Channel } from "./api";
import { Findings, LiveBadge } from "./live";

const channel = (channel_type: string, state: string) =>
  ({ channel_type, enabled: true, live: { state, findings: [] } }) as unknown as Channel;

it.each([
  ["web", "idle", "Ready"],
  ["webhook", "idle", "Ready"],
  ["web", "dead", "Down"],
  ["telegram", "idle", "Idle"],
])("%s that is %s is called %s", (type, state, word) => {
  expect(renderIn(<LiveBadge channel={channel(type, state)} />).container).toHaveTextContent(word);
});

it("names what was looked at in words", () => {
  const found = [{ name: "webhook_url", ok: true, words: "None is set." }];
  const { container } = renderIn(<Findings findings={found} />);
  expect(container).toHaveTextContent("Address for answers");
  expect(container).not.toHaveTextContent("webhook url");
});
