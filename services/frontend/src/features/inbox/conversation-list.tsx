/** The queues and the conversations in the chosen one; or what a search found. */
import { useQuery } from "@tanstack/react-query";
import { Inbox, Search, SearchX, Tag, X } from "lucide-react";
import { type KeyboardEvent, type RefObject, useDeferredValue, useState } from "react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import type { Pages } from "@/lib/paging";
import { IconButton } from "@/ui/button";
import { More } from "@/ui/more";
import { Empty, Loaded } from "@/ui/states";
import { type Conversation, type Counts, plainSnippet, QUEUES, type Queue, SHORTEST_SEARCH, searchQuery } from "./api";
import { ConversationRow } from "./conversation-row";

interface Props {
  tenantId: string;
  conversations: Pages<Conversation>;
  counts: Counts | undefined;
  queue: Queue;
  onQueue: (queue: Queue) => void;
  tag: string | undefined;
  onTag: (tag: string | undefined) => void;
  openId: string | undefined;
  onOpen: (id: string) => void;
  searchField: RefObject<HTMLInputElement | null>;
}

export function ConversationList(props: Props) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed.trim());
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== "Escape") return;
    setTyped("");
    event.currentTarget.blur();
  };
  return (
    <>
      <header className="flex flex-col gap-2 border-b ps-14 pe-3 pt-3 lg:ps-3">
        <div className="relative">
          <Search className="pointer-events-none absolute start-2.5 top-2 size-4 text-ink-faint" aria-hidden />
          <input
            ref={props.searchField}
            type="search"
            aria-label={t("inbox.search")}
            placeholder={t("inbox.search")}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={onKeyDown}
            dir="auto"
            className="h-8 w-full rounded-md border bg-sunken px-8 text-sm focus:bg-raised"
          />
        </div>
        <Queues {...props} />
      </header>
      {props.tag && (
        <div className="flex items-center gap-2 border-b px-3 py-1.5 text-xs text-ink-soft">
          <Tag className="size-3.5" aria-hidden />
          <bdi className="flex-1 truncate">{props.tag}</bdi>
          <IconButton size="iconSm" label={t("action.remove")} onClick={() => props.onTag(undefined)}>
            <X className="size-3.5" aria-hidden />
          </IconButton>
        </div>
      )}
      <div className="scroll-quiet min-h-0 flex-1 overflow-y-auto">
        {wanted.length >= SHORTEST_SEARCH ? <Found {...props} wanted={wanted} /> : <InQueue {...props} />}
      </div>
    </>
  );
}

function Queues({ queue, onQueue, counts }: Props) {
  const { t, named, format } = useLanguage();
  return (
    <nav aria-label={t("inbox.queues")} className="-mb-px flex flex-wrap gap-x-3 gap-y-1">
      {QUEUES.map((each) => {
        const count = counts?.[each] ?? 0;
        const current = each === queue;
        return (
          <button
            key={each}
            type="button"
            aria-current={current ? "true" : undefined}
            onClick={() => onQueue(each)}
            className={cx(
              "flex items-center gap-1.5 border-b-2 pb-1.5 text-xs whitespace-nowrap",
              current ? "border-accent font-medium text-ink" : "border-transparent text-ink-soft hover:text-ink",
            )}
          >
            {named("queue", each)}
            {count > 0 && each !== "closed" && each !== "all" && (
              <span
                className={cx(
                  "min-w-4 rounded-full px-1 text-center text-2xs",
                  each === "waiting" ? "bg-warn-soft text-warn" : "bg-sunken text-ink-soft",
                )}
              >
                {format.number(count)}
              </span>
            )}
          </button>
        );
      })}
    </nav>
  );
}

function InQueue({ conversations, queue, openId, onOpen }: Props) {
  const { t, named } = useLanguage();
  return (
    <Loaded query={conversations}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon={<Inbox aria-hidden />} title={t("inbox.empty", { queue: named("queue", queue) })}>
            {named("queue_empty", queue)}
          </Empty>
        ) : (
          <>
            <ul>
              {items.map((conversation) => (
                <ConversationRow
                  key={conversation.id}
                  conversation={conversation}
                  open={conversation.id === openId}
                  onOpen={onOpen}
                />
              ))}
            </ul>
            <More list={conversations} />
          </>
        )
      }
    </Loaded>
  );
}

function Found({ tenantId, wanted, openId, onOpen }: Props & { wanted: string }) {
  const { t } = useLanguage();
  const found = useQuery(searchQuery(tenantId, wanted));
  return (
    <Loaded query={found}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty icon={<SearchX aria-hidden />} title={t("inbox.nothing_found")}>
            {t("inbox.nothing_found_hint")}
          </Empty>
        ) : (
          <ul>
            {items.map(({ conversation, hits }) => (
              <ConversationRow
                key={conversation.id}
                conversation={conversation}
                open={conversation.id === openId}
                onOpen={onOpen}
                snippet={plainSnippet(hits[0])}
              />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
