/** The inbox's data, kept current by the live feed: an event names a conversation, and what is shown of it is read again. */
import { type InfiniteData, type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLive, useLiveStatus } from "@/app/live";
import { type PageOf, usePages } from "@/lib/paging";
import { type Conversation, getConversation, getCounts, keys, type ListFilter, listConversations } from "./api";
import { forgetThread, threadOf } from "./threads";

const TOGETHER_MS = 150;
const TYPING_MS = 6000;

/** Put a conversation's new state into every list that shows it; where it belongs is for the server to say. */
export function showConversation(queries: QueryClient, conversation: Conversation): void {
  queries.setQueryData(keys.conversation(conversation.id), conversation);
  queries.setQueriesData<InfiniteData<PageOf<Conversation>>>(
    { queryKey: keys.lists(conversation.tenant_id) },
    (list) =>
      list
        ? {
            ...list,
            pages: list.pages.map((page) => ({
              ...page,
              items: page.items.map((each) => (each.id === conversation.id ? conversation : each)),
            })),
          }
        : list,
  );
}

/** Take a conversation that was erased off every list, with all that was read of it. */
export function dropConversation(queries: QueryClient, tenantId: string, id: string): void {
  queries.setQueriesData<InfiniteData<PageOf<Conversation>>>({ queryKey: keys.lists(tenantId) }, (list) =>
    list
      ? { ...list, pages: list.pages.map((page) => ({ ...page, items: page.items.filter((each) => each.id !== id) })) }
      : list,
  );
  queries.removeQueries({ queryKey: keys.conversation(id) });
  queries.removeQueries({ queryKey: keys.notes(id) });
  queries.removeQueries({ queryKey: ["trace", id] });
  void queries.resetQueries({ queryKey: keys.searches(tenantId) });
  void queries.invalidateQueries({ queryKey: keys.counts(tenantId) });
  forgetThread(id);
}

/** After an action: its answer at once, then the lists and counts as they are. */
export async function settled(queries: QueryClient, conversation: Conversation): Promise<void> {
  showConversation(queries, conversation);
  await Promise.all([
    queries.invalidateQueries({ queryKey: keys.lists(conversation.tenant_id) }),
    queries.invalidateQueries({ queryKey: keys.counts(conversation.tenant_id) }),
    threadOf(conversation.id).look(),
  ]);
}

export function useConversations(tenantId: string, filter: ListFilter) {
  return usePages<Conversation>(keys.list(tenantId, filter), (cursor) => listConversations(tenantId, filter, cursor));
}

export function useCounts(tenantId: string, enabled = true) {
  return useQuery({
    queryKey: keys.counts(tenantId),
    queryFn: () => getCounts(tenantId),
    enabled,
    refetchInterval: 60_000,
  });
}

export function useConversation(id: string) {
  return useQuery({ queryKey: keys.conversation(id), queryFn: () => getConversation(id) });
}

/** Events of one moment are answered by one reading. */
function useTogether(action: (ids: ReadonlySet<string>) => void): (id: string) => void {
  const waiting = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(action);
  latest.current = action;
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
    },
    [],
  );
  return (id) => {
    waiting.current.add(id);
    timer.current ??= setTimeout(() => {
      timer.current = null;
      const ids = new Set(waiting.current);
      waiting.current.clear();
      latest.current(ids);
    }, TOGETHER_MS);
  };
}

/**
 * Keeps lists, counts and the open conversation as the feed says.
 *
 * `onErased` is told when the conversation that is open is gone for good.
 */
export function useLiveInbox(tenantId: string, openId: string | undefined, onErased: () => void): void {
  const queries = useQueryClient();
  const status = useLiveStatus();
  const missed = useRef(false);
  useEffect(() => {
    // That a conversation was erased is told once, and kept nowhere: after a silence it is looked whether it is there.
    if (status === "live" && missed.current && openId)
      void queries.invalidateQueries({ queryKey: keys.conversation(openId) });
    missed.current = status !== "live";
  }, [status, openId, queries]);
  const refresh = useTogether((ids) => {
    void queries.invalidateQueries({ queryKey: keys.lists(tenantId) });
    void queries.invalidateQueries({ queryKey: keys.counts(tenantId) });
    if (!openId || !ids.has(openId)) return;
    void queries.invalidateQueries({ queryKey: keys.conversation(openId) });
    void queries.invalidateQueries({ queryKey: keys.notes(openId) });
    void threadOf(openId).look();
  });
  const reread = useTogether((ids) => {
    if (openId && ids.has(openId)) void threadOf(openId).load();
  });
  useLive((event) => {
    if (event === "behind") {
      void queries.invalidateQueries({ queryKey: ["inbox"] });
      if (openId) void threadOf(openId).load();
      return;
    }
    const id = event.data.conversation_id;
    if (event.name === "typing" || event.name === "read") return;
    if (event.name.startsWith("agent.") || event.name === "presence")
      void queries.invalidateQueries({ queryKey: keys.agents(tenantId) });
    if (typeof id !== "string") return;
    if (event.name === "erased") {
      if (id === openId) onErased();
      dropConversation(queries, tenantId, id);
      return;
    }
    refresh(id);
    // These change messages that are there already.
    if (/^(delivery\.|message\.(edited|deleted))/.test(event.name)) reread(id);
  });
}

/** Whether the visitor of a conversation types now. */
export function useVisitorTyping(conversationId: string): boolean {
  const [until, setUntil] = useState(0);
  useLive((event) => {
    if (event === "behind" || event.data.conversation_id !== conversationId) return;
    if (event.name === "message.received") setUntil(0);
    if (event.name === "typing" && event.data.role === "visitor")
      setUntil(event.data.active ? Date.now() + TYPING_MS : 0);
  });
  useEffect(() => {
    if (until === 0) return undefined;
    const timer = setTimeout(() => setUntil(0), Math.max(0, until - Date.now()));
    return () => clearTimeout(timer);
  }, [until]);
  return until > 0;
}
