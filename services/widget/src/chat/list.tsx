import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ConversationSummary } from "../core/api";
import { withoutMarks } from "../markdown/blocks";
import { Avatar } from "./avatar";
import { useModel, useWords } from "./hooks";
import { Page } from "./page";

/** The visitor's conversations, to read and to go on with. */
export function ConversationList(): JSX.Element {
  const model = useModel();
  const words = useWords();
  const [items, setItems] = useState<readonly ConversationSummary[] | "failed" | null>(null);
  useEffect(() => {
    model.client.conversations().then(setItems, () => setItems("failed"));
  }, []);
  return (
    <Page title={words.t("list.title")}>
      {items === null && <div class="skeleton" aria-hidden="true" />}
      {items === "failed" && <p class="hint">{words.t("list.failed")}</p>}
      {Array.isArray(items) && items.length === 0 && <p class="hint">{words.t("list.empty")}</p>}
      {Array.isArray(items) && (
        <ul class="rows">
          {items.map((item: ConversationSummary) => (
            <li key={item.id}>
              <Row item={item} />
            </li>
          ))}
        </ul>
      )}
      <button type="button" class="primary" onClick={() => model.begin()}>
        {words.t("menu.new")}
      </button>
    </Page>
  );
}

function Row({ item }: { readonly item: ConversationSummary }): JSX.Element {
  const model = useModel();
  const words = useWords();
  const at = new Date(item.updated_at);
  const isNew = item.last_seq > item.read_seq;
  return (
    <button type="button" class={isNew ? "row new" : "row"} onClick={() => model.resume(item)}>
      <Avatar
        name={item.agent?.name ?? model.botName}
        url={item.agent?.avatar_url ?? model.config.bot.avatar_url}
        isBot={!item.agent}
        size={36}
      />
      <span class="row-text">
        <span class="row-head">
          <strong class="ellipsis">
            <bdi>{item.agent?.name ?? model.botName}</bdi>
          </strong>
          <time dateTime={item.updated_at}>{words.day(at, new Date())}</time>
        </span>
        <span class="ellipsis muted">
          <bdi>
            {withoutMarks(item.last_message?.text ?? "") ||
              words.t(item.state === "closed" ? "list.closed" : "list.open")}
          </bdi>
        </span>
      </span>
    </button>
  );
}
