import type { JSX } from "preact";
import type { WidgetConfig } from "../core/config";
import type { Outgoing } from "../core/outbox";
import type { Words } from "../i18n";
import { whyOfOtherType } from "./files";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";

/** Why something was not taken, in the visitor's language: a problem's own words are for developers. */
function whyRefused({ problem, file }: Outgoing, config: WidgetConfig, words: Words): string {
  const name = file?.name ?? "";
  if (file && problem?.status === 413) {
    return words.t("file.tooLarge", { name, size: words.bytes(config.uploads.max_bytes) });
  }
  if (file && problem?.status === 415) return whyOfOtherType(name, config, words);
  if (problem?.code === "conversation_busy") return words.t("error.conversation_busy");
  return words.t(problem?.status === 429 ? "error.too_many_requests" : "error.other");
}

/** A message that the server has not acknowledged. */
export function PendingView({ item, online }: { readonly item: Outgoing; readonly online: boolean }): JSX.Element {
  const words = useWords();
  const failed = item.status === "failed";
  const state = item.status === "sending" && online ? "message.sending" : "message.waiting";
  return (
    <article class="message mine first last pending" data-status={item.status}>
      <div class="stack">
        <span class="hidden">{words.t("you")}</span>
        {item.file ? (
          <PendingFile item={item} />
        ) : (
          <div class="bubble">
            <p dir="auto" class="plain">
              {item.text}
            </p>
          </div>
        )}
        <span class="foot">{failed ? <Failed item={item} /> : <span>{words.t(state)}</span>}</span>
      </div>
    </article>
  );
}

function PendingFile({ item }: { readonly item: Outgoing }): JSX.Element {
  const words = useWords();
  const name = item.file?.name ?? "";
  return (
    <div class="file">
      <Icon name="file" />
      <span class="file-text">
        <span class="ellipsis">
          <bdi>{name}</bdi>
        </span>
        {item.status === "sending" ? (
          <progress value={item.progress} max={1} aria-label={name} />
        ) : (
          <small>{words.bytes(item.file?.size ?? 0)}</small>
        )}
      </span>
    </div>
  );
}

function Failed({ item }: { readonly item: Outgoing }): JSX.Element {
  const model = useModel();
  const words = useWords();
  const { t } = words;
  // What is wrong with the file itself no second try mends.
  const isOfFile = item.problem?.status === 413 || item.problem?.status === 415;
  return (
    <>
      <span class="error-text">{whyRefused(item, model.config, words)}</span>
      {!isOfFile && (
        <button type="button" class="text-button" onClick={() => model.client.tryAgain(item.id)}>
          {t("message.retry")}
        </button>
      )}
      <button type="button" class="text-button" onClick={() => model.client.discard(item.id)}>
        {t("message.discard")}
      </button>
    </>
  );
}
