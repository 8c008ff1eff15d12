/** The inbox: queues and their conversations, the conversation, and what is known about it. On a phone one at a time. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { LockKeyhole, MessagesSquare } from "lucide-react";
import { useRef, useState } from "react";
import { useLiveStatus } from "@/app/live";
import { useUnreachable } from "@/app/reach";
import { useShortcuts } from "@/app/shortcuts";
import { useBrandId, useMay, useRole, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { useLasting } from "@/lib/lasting";
import { Kbd } from "@/ui/badge";
import { useTitle } from "@/ui/page";
import { Empty, Lost } from "@/ui/states";
import { toast } from "@/ui/toast";
import type { ListFilter, Queue } from "./api";
import { ConversationList } from "./conversation-list";
import { ConversationPane } from "./conversation-pane";
import { dropConversation, useConversations, useCounts, useLiveInbox } from "./use-inbox";

const SILENCE_MS = 2000;

export function InboxPage() {
  const mayAnswer = useMay("answer");
  const refused = useLiveStatus() === "refused"; // the feed may know of a new role before we do
  return mayAnswer && !refused ? <Inbox /> : <AgentsOnly />;
}

function AgentsOnly() {
  const { t, named } = useLanguage();
  const role = useRole();
  return (
    <div role="alert">
      <Empty icon={<LockKeyhole aria-hidden />} title={t("inbox.agents_only")}>
        {role && t("inbox.your_role", { role: named("role", role) })} {t("problem.forbidden_hint")}
      </Empty>
    </div>
  );
}

function Inbox() {
  const { t, tn } = useLanguage();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { conversationId } = useParams({ strict: false });
  const [queue, setQueue] = useState<Queue>("all");
  const [tag, setTag] = useState<string | undefined>();
  const searchField = useRef<HTMLInputElement>(null);
  const filter: ListFilter = { queue, brandId, tag };
  const conversations = useConversations(tenantId, filter);
  const counts = useCounts(tenantId);
  // A feed that is renewed is away for a moment: only a longer silence is worth a word.
  const silent = useLasting(useLiveStatus() === "lost", SILENCE_MS);
  const lost = useUnreachable() || silent;
  const waiting = counts.data?.waiting ?? 0;
  useTitle(waiting > 0 ? `(${tn("inbox.waiting_count", waiting)}) ${t("nav.inbox")}` : t("nav.inbox"));

  const openConversation = (id: string | undefined) =>
    void navigate({
      to: id ? "/t/$tenantId/inbox/$conversationId" : "/t/$tenantId/inbox",
      params: { tenantId, ...(id && { conversationId: id }) },
      search: brandId ? { brand: brandId } : {},
    });
  const leaveErased = () => {
    openConversation(undefined);
    toast.done(t("inbox.erased"));
  };
  useLiveInbox(tenantId, conversationId, leaveErased);
  const step = (by: number) => {
    const items = conversations.data ?? [];
    const at = items.findIndex((each) => each.id === conversationId);
    const next = items[at < 0 ? 0 : Math.min(items.length - 1, Math.max(0, at + by))];
    if (next) openConversation(next.id);
  };
  useShortcuts({ j: () => step(1), k: () => step(-1), "/": () => searchField.current?.focus() });

  return (
    <div className="flex h-full min-h-0 flex-col">
      <h1 className="sr-only">{t("nav.inbox")}</h1>
      {lost && <Lost>{t("inbox.lost")}</Lost>}
      <div className="flex min-h-0 flex-1">
        <section
          aria-label={t("inbox.conversations")}
          className={cx(
            "flex w-full min-w-0 flex-col border-e bg-panel md:w-80 md:shrink-0",
            conversationId && "max-md:hidden",
          )}
        >
          <ConversationList
            tenantId={tenantId}
            conversations={conversations}
            counts={counts.data}
            queue={queue}
            onQueue={setQueue}
            tag={tag}
            onTag={setTag}
            openId={conversationId}
            onOpen={openConversation}
            searchField={searchField}
          />
        </section>
        <section
          aria-label={t("inbox.conversation")}
          className={cx("flex min-w-0 flex-1 flex-col", !conversationId && "max-md:hidden")}
        >
          {conversationId ? (
            <ConversationPane
              key={conversationId}
              conversationId={conversationId}
              onBack={() => openConversation(undefined)}
              onErased={() => {
                dropConversation(queries, tenantId, conversationId);
                leaveErased();
              }}
              onTag={setTag}
            />
          ) : (
            <Empty className="h-full" icon={<MessagesSquare aria-hidden />} title={t("inbox.choose")}>
              <Kbd>J</Kbd> <Kbd>K</Kbd> {t("inbox.choose_hint")} <Kbd>?</Kbd>
            </Empty>
          )}
        </section>
      </div>
    </div>
  );
}
