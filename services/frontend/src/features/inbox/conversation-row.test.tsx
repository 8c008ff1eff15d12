import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { renderIn } from "../../../tests/render";
import type { Conversation } from "./api";
import { ConversationRow } from "./conversation-row";

const CONVERSATION: Conversation = {
  id: "c1",
  tenant_id: "t1",
  brand_id: "b1",
  brand_name: "Demo",
  channel_id: "ch1",
  channel_type: "web",
  state: "waiting",
  epoch: 1,
  subject: "Help",
  visitor: { name: '<img src=x onerror="alert(1)">' },
  locale: "en",
  assignee: null,
  tags: ["vip"],
  last_message: { seq: 3, role: "visitor", text: "Is anybody there?", created_at: "2026-01-01T10:00:00Z" },
  last_seq: 3,
  visitor_read_seq: 0,
  agent_read_seq: 0,
  unread: 2,
  waiting_since: "2026-01-01T10:00:00Z",
  handoff_reason: null,
  csat: null,
  created_at: "2026-01-01T10:00:00Z",
  updated_at: "2026-01-01T10:00:00Z",
  closed_at: null,
};

it("says who, what, how much is unread, and opens on a click", async () => {
  const open = vi.fn();
  const { container } = renderIn(
    <ul>
      <ConversationRow conversation={CONVERSATION} open={false} onOpen={open} />
    </ul>,
  );
  expect(screen.getByText("Is anybody there?")).toBeVisible();
  expect(screen.getByText("2 unread")).toBeInTheDocument();
  expect(screen.getByText("vip")).toBeVisible();
  expect(container.querySelector("img")).toBeNull();
  await userEvent.click(screen.getByRole("button"));
  expect(open).toHaveBeenCalledWith("c1");
});
