/** Calls of the inbox. */
import { keepPreviousData } from "@tanstack/react-query";
import { api, type Body, call } from "@/api/client";
import { readAll } from "@/lib/paging";

export type Conversation = Body<"ConversationView">;
export type Message = Body<"AgentMessage">;
export type Trace = Body<"TraceView">;
export type Agent = Body<"AgentView">;
export type Counts = Body<"Counts">;
export type Presence = Agent["presence"];

export const QUEUES = ["mine", "waiting", "unassigned", "human", "bot", "all", "closed"] as const;
export type Queue = (typeof QUEUES)[number];

export type Note = Body<"NoteView">;
export type CannedReply = Body<"CannedReplyView">;

export interface ListFilter {
  queue: Queue;
  brandId: string | undefined;
  tag: string | undefined;
}

const path = (id: string) => ({ path: { conversation_id: id } });

export const keys = {
  lists: (tenantId: string) => ["inbox", tenantId, "list"] as const,
  list: (tenantId: string, filter: ListFilter) => ["inbox", tenantId, "list", filter] as const,
  searches: (tenantId: string) => ["inbox", tenantId, "search"] as const,
  counts: (tenantId: string) => ["inbox", tenantId, "counts"] as const,
  conversation: (id: string) => ["inbox", "conversation", id] as const,
  notes: (id: string) => ["inbox", "notes", id] as const,
  agents: (tenantId: string) => ["inbox", tenantId, "agents"] as const,
  canned: (tenantId: string) => ["inbox", tenantId, "canned"] as const,
};

export function listConversations(tenantId: string, filter: ListFilter, cursor: string | undefined) {
  const query = {
    tenant_id: tenantId,
    queue: filter.queue,
    limit: 30,
    ...(filter.brandId && { brand_id: filter.brandId }),
    ...(filter.tag && { tag: filter.tag }),
    ...(cursor && { cursor }),
  };
  return call(api.GET("/admin/conversations", { params: { query } }));
}

export const getCounts = (tenantId: string) =>
  call(api.GET("/admin/conversations/counts", { params: { query: { tenant_id: tenantId } } }));
export const getConversation = (id: string) =>
  call(api.GET("/admin/conversations/{conversation_id}", { params: path(id) }));

export const PAGE = 60;

/** The newest messages, those before a number, or those after one. */
export function listMessages(id: string, where: { before_seq?: number; after_seq?: number } = {}) {
  return call(
    api.GET("/admin/conversations/{conversation_id}/messages", {
      params: { ...path(id), query: { ...where, limit: PAGE } },
    }),
  );
}

export function getTrace(id: string, messageId: string) {
  const params = { path: { conversation_id: id, message_id: messageId } };
  return call(api.GET("/admin/conversations/{conversation_id}/messages/{message_id}/trace", { params }));
}

export function say(id: string, text: string, clientMessageId: string, files: readonly string[] = []) {
  const body = { text, client_message_id: clientMessageId, ...(files.length > 0 && { attachment_ids: [...files] }) };
  return call(api.POST("/admin/conversations/{conversation_id}/messages", { params: path(id), body }));
}
export const takeOver = (id: string, force: boolean) =>
  call(api.POST("/admin/conversations/{conversation_id}/takeover", { params: path(id), body: { force } }));
export const handBack = (id: string) =>
  call(api.POST("/admin/conversations/{conversation_id}/handback", { params: path(id) }));
export const closeConversation = (id: string) =>
  call(api.POST("/admin/conversations/{conversation_id}/close", { params: path(id) }));
export const reopen = (id: string) =>
  call(api.POST("/admin/conversations/{conversation_id}/reopen", { params: path(id) }));
export const assign = (id: string, assigneeId: string | null) =>
  call(
    api.POST("/admin/conversations/{conversation_id}/assign", { params: path(id), body: { assignee_id: assigneeId } }),
  );
export const setTags = (id: string, tags: string[]) =>
  call(api.PUT("/admin/conversations/{conversation_id}/tags", { params: path(id), body: { tags } }));
export const setTyping = (id: string, active: boolean) =>
  call(api.POST("/admin/conversations/{conversation_id}/typing", { params: path(id), body: { active } }));
export const markRead = (id: string, seq: number) =>
  call(api.POST("/admin/conversations/{conversation_id}/read", { params: path(id), body: { seq } }));

export const listAgents = (tenantId: string) =>
  readAll((cursor) =>
    call(api.GET("/admin/agents", { params: { query: { tenant_id: tenantId, limit: 200, cursor } } })),
  );
export const setPresence = (tenantId: string, presence: Presence) =>
  call(api.PUT("/admin/agents/me/presence", { body: { tenant_id: tenantId, presence } }));

export const listNotes = (id: string) =>
  call(api.GET("/admin/conversations/{conversation_id}/notes", { params: { ...path(id), query: { limit: 100 } } }));
export const addNote = (id: string, text: string, mentions: string[]) =>
  call(api.POST("/admin/conversations/{conversation_id}/notes", { params: path(id), body: { text, mentions } }));
export const askDraft = (id: string) =>
  call(api.POST("/admin/conversations/{conversation_id}/draft", { params: path(id) }));
export const SHORTEST_SEARCH = 2;

/** The conversations in which something was said; what was found last stays until the next is. */
export const searchQuery = (tenantId: string, wanted: string) => ({
  queryKey: [...keys.searches(tenantId), wanted],
  queryFn: () => call(api.GET("/admin/search", { params: { query: { tenant_id: tenantId, q: wanted } } })),
  placeholderData: keepPreviousData,
});

/** The part of a message around what was found, as plain text. */
export const plainSnippet = (hit: Body<"HitView"> | undefined) => hit?.snippet.replace(/<\/?[a-z]+>/g, "");

const replyPath = (id: string) => ({ params: { path: { reply_id: id } } });

export const listCanned = (tenantId: string) =>
  call(api.GET("/admin/canned_replies", { params: { query: { tenant_id: tenantId, limit: 100 } } }));
export const renderCanned = (id: string, conversationId: string) =>
  call(
    api.POST("/admin/canned_replies/{reply_id}/render", {
      ...replyPath(id),
      body: { conversation_id: conversationId },
    }),
  );
export const createCanned = (body: Body<"NewCannedReply">) => call(api.POST("/admin/canned_replies", { body }));
export const changeCanned = (id: string, body: Body<"ChangeCannedReply">) =>
  call(api.PATCH("/admin/canned_replies/{reply_id}", { ...replyPath(id), body }));
export const removeCanned = (id: string) => call(api.DELETE("/admin/canned_replies/{reply_id}", replyPath(id)));
