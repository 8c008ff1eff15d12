/** One conversation: its head, what was said, the field to answer in, and at the side what is known about it. */
import { ArrowLeft, Bot, CheckCheck, CircleCheck, Info, RotateCcw, UserRoundCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { useShortcuts } from "@/app/shortcuts";
import { useMe } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useStore } from "@/lib/store";
import { Avatar, Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Confirm, Sheet } from "@/ui/dialog";
import { Loaded } from "@/ui/states";
import { type Actions, useActions } from "./actions";
import { type Conversation, markRead } from "./api";
import { Composer, type ComposerHandle } from "./composer";
import { ContextPane } from "./context-pane";
import { isAnonymous, visitorName } from "./people";
import { threadOf } from "./threads";
import { Timeline } from "./timeline";
import { TracePanel } from "./trace-panel";
import { useConversation } from "./use-inbox";

interface Props {
  conversationId: string;
  onBack: () => void;
  /** It was there, and is no more. */
  onErased: () => void;
  onTag: (tag: string) => void;
}

export function ConversationPane({ conversationId, onBack, onErased, onTag }: Props) {
  const conversation = useConversation(conversationId);
  const erased = conversation.data !== undefined && conversation.error && asProblem(conversation.error).status === 404;
  useEffect(() => {
    if (erased) onErased();
  });
  return <Loaded query={conversation}>{(data) => <Open conversation={data} onBack={onBack} onTag={onTag} />}</Loaded>;
}

/** Tell the platform what was seen, while somebody really looks. */
function useReading(conversation: Conversation): void {
  const told = useRef(0);
  const { messages } = useStore(threadOf(conversation.id).state);
  const last = messages.at(-1)?.seq ?? 0;
  useEffect(() => {
    const read = () => {
      if (document.visibilityState !== "visible" || last <= Math.max(told.current, conversation.agent_read_seq)) return;
      told.current = last;
      void markRead(conversation.id, last).catch(() => {
        told.current = 0;
      });
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [conversation.id, conversation.agent_read_seq, last]);
}

function Open({
  conversation,
  onBack,
  onTag,
}: {
  conversation: Conversation;
  onBack: () => void;
  onTag: (tag: string) => void;
}) {
  const { t } = useLanguage();
  const me = useMe();
  const actions = useActions(conversation.id);
  const composer = useRef<ComposerHandle>(null);
  const [aside, setAside] = useState(false);
  const [traced, setTraced] = useState<string | null>(null);
  useReading(conversation);
  const closed = conversation.state === "closed";
  const mine = conversation.assignee?.id !== undefined && conversation.assignee.id === me.user?.id;
  useShortcuts({
    r: () => composer.current?.focus("reply"),
    n: () => composer.current?.focus("note"),
    a: closed || mine ? undefined : () => void actions.take(),
    b: mine && !closed ? () => void actions.handBack() : undefined,
    e: () => void (closed ? actions.reopen() : actions.close()),
    escape: onBack,
  });
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <Head
          conversation={conversation}
          mine={mine}
          actions={actions}
          onBack={onBack}
          onAside={() => setAside(true)}
        />
        <Timeline conversation={conversation} onTrace={setTraced} />
        <Composer ref={composer} conversation={conversation} mine={mine} actions={actions} />
      </div>
      <aside
        aria-label={t("inbox.about")}
        className="scroll-quiet w-72 shrink-0 overflow-y-auto border-s bg-panel max-xl:hidden"
      >
        <ContextPane conversation={conversation} actions={actions} onTag={onTag} />
      </aside>
      <Sheet open={aside} onClose={() => setAside(false)} title={t("inbox.about")}>
        <ContextPane conversation={conversation} actions={actions} onTag={onTag} />
      </Sheet>
      <Sheet open={traced !== null} onClose={() => setTraced(null)} title={t("trace.title")}>
        {traced && <TracePanel conversationId={conversation.id} messageId={traced} />}
      </Sheet>
      <Confirm
        open={actions.held !== null}
        onClose={actions.leaveHeld}
        danger={false}
        title={t("inbox.held_title")}
        description={<bdi>{actions.held ?? ""}</bdi>}
        action={t("inbox.take_anyway")}
        onConfirm={actions.takeAnyway}
      />
    </div>
  );
}

interface HeadProps {
  conversation: Conversation;
  mine: boolean;
  actions: Actions;
  onBack: () => void;
  onAside: () => void;
}

function Head({ conversation, mine, actions, onBack, onAside }: HeadProps) {
  const { t } = useLanguage();
  const name = visitorName(conversation, t);
  const closed = conversation.state === "closed";
  return (
    <header className="flex min-h-14 shrink-0 items-center gap-2.5 border-b bg-panel py-2 ps-14 pe-3 md:ps-4">
      <IconButton className="md:hidden" label={t("action.back")} onClick={onBack}>
        <ArrowLeft className="flip-rtl size-4" aria-hidden />
      </IconButton>
      <Avatar name={name} anonymous={isAnonymous(conversation)} size={32} className="max-sm:hidden" />
      <div className="min-w-0 flex-1">
        <h2 dir="auto" className="start-of-page truncate text-sm font-semibold">
          {name}
        </h2>
        <div className="flex items-center gap-1.5 overflow-hidden text-xs text-ink-faint">
          <StateBadge conversation={conversation} mine={mine} />
          <bdi className="truncate max-sm:hidden">{conversation.brand_name}</bdi>
        </div>
      </div>
      {!closed && !mine && (
        <Button
          size="sm"
          variant="primary"
          busy={actions.busy}
          icon={<UserRoundCheck className="size-3.5" aria-hidden />}
          onClick={() => void actions.take()}
        >
          {t("inbox.take_over")}
        </Button>
      )}
      {mine && !closed && (
        <Button
          size="sm"
          busy={actions.busy}
          icon={<Bot className="size-3.5" aria-hidden />}
          onClick={() => void actions.handBack()}
        >
          <span className="max-sm:sr-only">{t("inbox.hand_back")}</span>
        </Button>
      )}
      {closed ? (
        <Button
          size="sm"
          busy={actions.busy}
          icon={<RotateCcw className="size-3.5" aria-hidden />}
          onClick={() => void actions.reopen()}
        >
          <span className="max-sm:sr-only">{t("inbox.reopen")}</span>
        </Button>
      ) : (
        <Button
          size="sm"
          busy={actions.busy}
          icon={<CircleCheck className="size-3.5" aria-hidden />}
          onClick={() => void actions.close()}
        >
          <span className="max-sm:sr-only">{t("inbox.close")}</span>
        </Button>
      )}
      <IconButton className="xl:hidden" label={t("inbox.about")} onClick={onAside}>
        <Info className="size-4" aria-hidden />
      </IconButton>
    </header>
  );
}

function StateBadge({ conversation, mine }: { conversation: Conversation; mine: boolean }) {
  const { t, named } = useLanguage();
  if (conversation.state === "human") {
    return (
      <Badge tone="accent" className="min-w-0">
        <CheckCheck className="size-3 shrink-0" aria-hidden />
        <bdi className="max-w-40 truncate">
          {mine ? t("inbox.yours") : (conversation.assignee?.name ?? named("queue", "human"))}
        </bdi>
      </Badge>
    );
  }
  return (
    <Badge tone={conversation.state === "waiting" ? "warn" : "neutral"} className="min-w-0">
      <span className="truncate">{named("conversation", conversation.state)}</span>
    </Badge>
  );
}
