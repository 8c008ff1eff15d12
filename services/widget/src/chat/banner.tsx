import type { JSX } from "preact";
import type { ChatState } from "../core/state";
import type { Words } from "../i18n";
import { useChat, useModel, useWords } from "./hooks";

/** What the visitor should know of just now: no network, the place in line, nobody there. */
export function Banner(): JSX.Element | null {
  const model = useModel();
  const chat = useChat();
  const words = useWords();
  const { link, outbox, conversation } = chat;
  if (link === "refused") return <p class="banner warn">{words.t("refused")}</p>;
  if (link === "offline") {
    const waiting = outbox.filter((item) => item.status === "waiting").length;
    return (
      <div class="banner warn" role="status">
        <span>
          {words.t("offline")} {waiting > 0 && words.t("offline.waiting", { n: waiting })}
        </span>
        <button type="button" class="text-button" onClick={() => model.client.probe()}>
          {words.t("offline.retry")}
        </button>
      </div>
    );
  }
  if (conversation.state === "waiting") return <p class="banner">{queueWords(chat, words)}</p>;
  const { open_now, next_open_at } = model.hours;
  if (open_now || conversation.state === "human") return null;
  const back = next_open_at && words.t("status.backAt", { when: words.moment(new Date(next_open_at), new Date()) });
  return (
    <p class="banner">
      {words.t("status.away")}
      {back && ` · ${back}`}
    </p>
  );
}

function queueWords({ conversation }: ChatState, words: Words): string {
  const { queue } = conversation;
  if (!queue) return words.t("handoff.asked");
  const place = queue.position <= 1 ? words.t("queue.next") : words.t("queue.position", { n: queue.position });
  const seconds = queue.expected_wait_seconds;
  return seconds === null ? place : `${place} · ${words.t("queue.wait", { n: Math.max(1, Math.round(seconds / 60)) })}`;
}
