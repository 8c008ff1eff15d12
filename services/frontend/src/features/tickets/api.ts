/** Calls of the tickets. */
import { api, type Body, call } from "@/api/client";

export type Ticket = Body<"TicketView">;
export type TicketComment = Body<"CommentView">;
export type TicketStatus = Ticket["status"];
export type Priority = Ticket["priority"];
export type Sla = Body<"SlaView">;

export const STATUSES = ["open", "pending", "solved", "closed"] as const satisfies readonly TicketStatus[];
export const PRIORITIES = ["urgent", "high", "normal", "low"] as const satisfies readonly Priority[];

export interface TicketFilter {
  status: TicketStatus | undefined;
  priority: Priority | undefined;
  breached: boolean;
  brandId: string | undefined;
  q: string;
}

export const keys = {
  lists: (tenantId: string) => ["tickets", tenantId] as const,
  list: (tenantId: string, filter: TicketFilter) => ["tickets", tenantId, filter] as const,
  of: (conversationId: string) => ["tickets", "of", conversationId] as const,
  one: (id: string) => ["ticket", id] as const,
};

const path = (id: string) => ({ params: { path: { ticket_id: id } } });

export function listTickets(tenantId: string, filter: TicketFilter, cursor: string | undefined) {
  const query = {
    tenant_id: tenantId,
    ...(filter.status && { status: filter.status }),
    ...(filter.priority && { priority: filter.priority }),
    ...(filter.breached && { sla: "breached" as const }),
    ...(filter.brandId && { brand_id: filter.brandId }),
    ...(filter.q && { q: filter.q }),
    ...(cursor && { cursor }),
  };
  return call(api.GET("/api/tickets", { params: { query } }));
}

export const listTicketsOf = (tenantId: string, conversationId: string) =>
  call(api.GET("/api/tickets", { params: { query: { tenant_id: tenantId, conversation_id: conversationId } } }));

export type TicketDetail = Body<"TicketAtHand">;

export const getTicket = async (id: string) =>
  (await call(api.GET("/api/tickets/{ticket_id}", path(id)))) as TicketDetail;
export const createTicket = (body: Body<"CreateTicket">) => call(api.POST("/api/tickets", { body }));
export const changeTicket = (id: string, body: Body<"ChangeTicket">) =>
  call(api.PATCH("/api/tickets/{ticket_id}", { ...path(id), body }));
export const addComment = (id: string, body: Body<"WriteComment">) =>
  call(api.POST("/api/tickets/{ticket_id}/comments", { ...path(id), body }));
