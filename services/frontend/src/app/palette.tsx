/** Ctrl-K: every page, tenant and setting by a few letters, and conversations by what was said in them. */
import { Dialog as Base } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { Building2, CircleUser, LogOut, type LucideIcon, MessagesSquare, Moon, Search, Sun } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useId, useState } from "react";
import { may, roleIn } from "@/auth/permissions";
import { session } from "@/auth/session";
import { plainSnippet, SHORTEST_SEARCH, searchQuery } from "@/features/inbox/api";
import { visitorName } from "@/features/inbox/people";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { matches } from "@/lib/match";
import { prefer } from "@/lib/preferences";
import { useGo } from "./go";
import { NAVIGATION, PLATFORM_ITEMS } from "./navigation";
import { tenantsQuery, useMe, useShownTenantId } from "./tenant";

interface Command {
  id: string;
  label: string;
  group: string;
  icon: LucideIcon;
  run: () => void;
}

function useCommands(): Command[] {
  const { t } = useLanguage();
  const tenantId = useShownTenantId();
  const me = useMe();
  const go = useGo();
  const tenants = useQuery(tenantsQuery());
  const role = tenantId ? roleIn(me, tenantId) : null;
  const pages = tenantId ? NAVIGATION.flatMap((group) => group.items).filter((item) => may(role, item.needs)) : [];
  return [
    ...pages.map((item) => ({
      id: item.path,
      label: t(item.label),
      group: t("palette.pages"),
      icon: item.icon,
      run: () => go(`/t/${tenantId}/${item.path}`),
    })),
    ...(me.role === "platform_admin"
      ? PLATFORM_ITEMS.map((item) => ({
          id: `/${item.path}`,
          label: t(item.label),
          group: t("palette.pages"),
          icon: item.icon,
          run: () => go(`/${item.path}`),
        }))
      : []),
    ...(tenants.data?.items ?? [])
      .filter((each) => each.id !== tenantId)
      .map((each) => ({
        id: each.id,
        label: each.name,
        group: t("tenant.label"),
        icon: Building2,
        run: () => go(`/t/${each.id}`),
      })),
    { id: "account", label: t("nav.account"), group: t("palette.you"), icon: CircleUser, run: () => go("/account") },
    { id: "light", label: t("theme.light"), group: t("palette.you"), icon: Sun, run: () => prefer({ theme: "light" }) },
    { id: "dark", label: t("theme.dark"), group: t("palette.you"), icon: Moon, run: () => prefer({ theme: "dark" }) },
    { id: "out", label: t("nav.sign_out"), group: t("palette.you"), icon: LogOut, run: () => void session.signOut() },
  ];
}

const MOST_CONVERSATIONS = 5;

/** The conversations of the tenant in which something was said, as the inbox finds them. */
function useConversations(typed: string): { able: boolean; found: Command[]; searching: boolean } {
  const { t } = useLanguage();
  const tenantId = useShownTenantId() ?? "";
  const role = roleIn(useMe(), tenantId);
  const go = useGo();
  const wanted = useDeferredValue(typed.trim());
  const able = may(role, "answer");
  const asked = able && wanted.length >= SHORTEST_SEARCH;
  const hits = useQuery({ ...searchQuery(tenantId, wanted), enabled: asked });
  const items = asked ? (hits.data?.items ?? []).slice(0, MOST_CONVERSATIONS) : [];
  return {
    able,
    searching: asked && hits.isFetching,
    found: items.map(({ conversation, hits: [hit] }) => ({
      id: conversation.id,
      label: [visitorName(conversation, t), plainSnippet(hit)].filter(Boolean).join(": "),
      group: t("palette.conversation"),
      icon: MessagesSquare,
      run: () => go(`/t/${tenantId}/inbox/${conversation.id}`),
    })),
  };
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/35" />
        <Base.Viewport className="fixed inset-0 z-50 flex items-start justify-center p-4 pt-[12vh]">
          <Base.Popup className="w-full max-w-lg overflow-hidden rounded-xl border bg-raised shadow-float outline-none">
            <Base.Title className="sr-only">{t("palette.title")}</Base.Title>
            <Commands onDone={onClose} />
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

function Commands({ onDone }: { onDone: () => void }) {
  const { t } = useLanguage();
  const id = useId();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const conversations = useConversations(typed);
  const found = [...useCommands().filter((command) => matches(typed, command.label)), ...conversations.found];
  const run = (command: Command | undefined) => {
    if (!command) return;
    onDone();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length > 0) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    }
    if (event.key === "Enter") run(found[at]);
  };
  return (
    <>
      <div className="flex items-center gap-2.5 border-b px-4">
        <Search className="size-4 text-ink-faint" aria-hidden />
        <input
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={found[at] ? `${id}-${found[at].id}` : undefined}
          aria-label={t("palette.title")}
          placeholder={t(conversations.able ? "palette.placeholder" : "palette.placeholder_pages")}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 w-full bg-transparent text-sm outline-none"
        />
      </div>
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={t("palette.title")}
        className="scroll-quiet max-h-80 overflow-y-auto p-1.5"
      >
        {found.map((command, index) => (
          <div
            key={command.id}
            id={`${id}-${command.id}`}
            role="option"
            aria-selected={index === at}
            tabIndex={-1}
            ref={(row) => {
              if (index === at) row?.scrollIntoView?.({ block: "nearest" });
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => run(command)}
            onKeyDown={onKeyDown}
            className={cx(
              "flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm",
              index === at && "bg-hover",
            )}
          >
            <command.icon className="size-4 text-ink-faint" aria-hidden />
            <bdi className="min-w-0 flex-1 truncate">{command.label}</bdi>
            <span className="text-2xs text-ink-faint">{command.group}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && !conversations.searching && (
        <p className="px-4 py-6 text-center text-sm text-ink-faint">{t("palette.none")}</p>
      )}
    </>
  );
}
