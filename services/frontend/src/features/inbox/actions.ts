/** What an agent does with a conversation, with "another has it" asked about instead of failed. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { toast } from "@/ui/toast";
import { assign, type Conversation, closeConversation, handBack, reopen, setTags, takeOver } from "./api";
import { settled } from "./use-inbox";

export interface Actions {
  busy: boolean;
  /** The platform's words on who has it; null when nobody stands in the way. */
  held: string | null;
  take: () => Promise<void>;
  takeAnyway: () => Promise<void>;
  leaveHeld: () => void;
  handBack: () => Promise<void>;
  close: () => Promise<void>;
  reopen: () => Promise<void>;
  assign: (assigneeId: string | null) => Promise<void>;
  setTags: (tags: string[]) => Promise<void>;
}

export function useActions(conversationId: string): Actions {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [held, setHeld] = useState<string | null>(null);
  const act = async (action: () => Promise<Conversation>) => {
    setBusy(true);
    try {
      await settled(queries, await action());
      setHeld(null);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === "held_by_another" || problem.code === "not_yours") setHeld(problem.detail);
      else toast.failed(error);
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    held,
    take: () => act(() => takeOver(conversationId, false)),
    takeAnyway: () => act(() => takeOver(conversationId, true)),
    leaveHeld: () => setHeld(null),
    handBack: () => act(() => handBack(conversationId)),
    close: () => act(() => closeConversation(conversationId)),
    reopen: () => act(() => reopen(conversationId)),
    assign: (assigneeId) => act(() => assign(conversationId, assigneeId)),
    setTags: (tags) => act(() => setTags(conversationId, tags)),
  };
}
