import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import en from "@/locales/en.json";
import { renderIn } from "../../../tests/render";
import { TicketsPage } from "./tickets-page";

const { getTicket, live } = vi.hoisted(() => ({
  getTicket: vi.fn(),
  live: { tell: (_event: unknown) => {} },
}));
const ticket = {
  id: "k",
  tenant_id: "t",
  number: 7,
  subject: "Broken lamp",
  problem: "It does not shine.",
  status: "open",
  priority: "normal",
  source: "agent",
  sla: null,
  requester: { name: "Ann", email: null },
  tags: [],
  comments: [],
  transcript: [],
  reached_by: null,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};
vi.mock("./api", async (load) => ({
  ...(await load<typeof import("./api")>()),
  getTicket,
  listTickets: async () => ({ items: [], next_cursor: null }),
}));
vi.mock("@/features/inbox/api", async (load) => ({
  ...(await load<typeof import("@/features/inbox/api")>()),
  listAgents: async () => [],
}));
vi.mock("@/app/live", () => ({
  useLive: (listener: (event: unknown) => void) => {
    live.tell = listener;
  },
}));
vi.mock("@/app/leave-guard", () => ({ LeaveGuard: () => null }));
vi.mock("@/app/go", () => ({ useGo: () => () => {} }));
vi.mock("@/app/tenant", () => ({ useTenantId: () => "t", useBrandId: () => undefined, useMay: () => true }));
vi.mock("@tanstack/react-router", () => ({ useParams: () => ({ ticketId: "k" }), Link: () => null }));

const comment = () => screen.findByRole("textbox", { name: en["tickets.comment"] });
const erase = () => act(async () => live.tell({ name: "erased", data: { conversation_id: "c" } }));

it("keeps a half-written comment when somebody is erased, and drops a ticket that is erased itself", async () => {
  getTicket.mockResolvedValue(ticket);
  renderIn(<TicketsPage />);
  await userEvent.type(await comment(), "Ten lines");
  let found = (_ticket: typeof ticket) => {};
  getTicket.mockReturnValueOnce(new Promise((resolve) => (found = resolve)));
  await erase();
  await waitFor(() => expect(getTicket).toHaveBeenCalledTimes(2));
  expect(await comment()).toHaveValue("Ten lines");
  await act(async () => found(ticket));
  expect(await comment()).toHaveValue("Ten lines");
  getTicket.mockRejectedValue(new Problem(404, "not_found", "no such ticket"));
  await erase();
  expect(await screen.findByText(/no such ticket/i)).toBeVisible();
  expect(screen.queryByText("It does not shine.")).toBeNull();
});
