/** What follows from a change: events told to the page, unread messages, sounds, the title, a word to screen readers. */

import { agentOf, isVisible } from "../core/conversation";
import type { Message } from "../core/protocol";
import type { ChatState } from "../core/state";
import { withoutMarks } from "../markdown/blocks";
import { Attention } from "./attention";
import type { ChatModel } from "./model";

const isOtherSide = (message: Message) => message.role === "bot" || message.role === "agent";
const isFinished = (message: Message) => message.status !== "streaming";

/** Follow a model's changes; the function that comes back ends it. */
export function followChanges(model: ChatModel): () => void {
  const attention = new Attention();
  const told = new Set<string>();
  const follow = (now: ChatState, before: ChatState) => {
    tellLink(model, now, before);
    tellStanding(model, now, before);
    if (now.conversation.messages !== before.conversation.messages) tellMessages(model, now, told, attention);
    tellUnread();
    if (now.conversation.csatAsked && !before.conversation.csatAsked) {
      // Each closing asks anew, also of one that was opened again after it had been rated.
      const { [now.conversation.id ?? ""]: _, ...rated } = model.screen.value.rated;
      model.screen.patch({ rated, csatPrevented: !model.host.emit({ type: "csat", phase: "asked" }) });
    }
  };
  const tellUnread = unreadTeller(model, attention);
  const stops = [model.client.state.subscribe(follow), model.screen.subscribe(tellUnread)];
  document.addEventListener("visibilitychange", tellUnread);
  return () => {
    for (const stop of stops) stop();
    document.removeEventListener("visibilitychange", tellUnread);
    attention.stop();
  };
}

function tellLink(model: ChatModel, now: ChatState, before: ChatState): void {
  if (now.link === before.link) return;
  if (now.link === "online") {
    model.host.emit({ type: "ready", conversationId: now.conversation.id, version: __VERSION__ });
    void model.catchUp();
  }
  if (now.link === "offline" && before.link === "online") model.announce(model.words.t("offline"));
}

function tellStanding(model: ChatModel, now: ChatState, before: ChatState): void {
  const { state, agent, queue, id } = now.conversation;
  const was = before.conversation;
  if (id === was.id && (state !== was.state || agent !== was.agent || queue !== was.queue)) {
    model.host.emit({ type: "state", state, agent, queue });
  }
  if (id === null || id !== was.id || state === was.state || now.link !== "online") return;
  if (state === "human") {
    const name = agentOf(now.conversation)?.name || model.words.t("agent");
    model.notice(model.words.t("agent.joined", { name }));
  } else if (state === "waiting") {
    model.announce(model.words.t("handoff.asked"));
  } else if (state === "bot" && was.state === "human") {
    model.notice(model.words.t("agent.left"));
  }
}

function tellMessages(model: ChatModel, now: ChatState, told: Set<string>, attention: Attention): void {
  for (const message of now.conversation.messages) {
    if (told.has(message.id) || !isFinished(message) || !isVisible(message)) continue;
    told.add(message.id);
    if (message.seq <= now.historySeq) continue;
    const { id, conversation_id, seq, role, text, created_at } = message;
    model.host.emit({
      type: "message",
      message: { id, conversationId: conversation_id, seq, role, text, createdAt: created_at },
    });
    if (role === "system") model.announce(text);
    if (!isOtherSide(message)) continue;
    model.announce(`${model.counterpart(now)}: ${withoutMarks(text)}`);
    if (model.screen.value.soundOn) attention.sound();
  }
}

/** Return what tells of the number of unread messages, whenever it has changed. */
function unreadTeller(model: ChatModel, attention: Attention): () => void {
  let told = 0;
  return () => {
    const { unread } = model;
    if (unread === told) return;
    told = unread;
    model.label();
    model.host.emit({ type: "unread", count: unread });
    attention.title(unread > 0 && document.hidden ? model.words.number(unread) : null);
  };
}
