/** The frame of everything after the sign-in: navigation at the side, the page beside it. */
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useParams } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Problem } from "@/api/problem";
import { may, roleIn } from "@/auth/permissions";
import { sessionState } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { prefer } from "@/lib/preferences";
import { useStore } from "@/lib/store";
import { IconButton } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Failure, Lost } from "@/ui/states";
import { toast } from "@/ui/toast";
import { LiveProvider } from "./live";
import { Mentions } from "./mentions";
import { Palette } from "./palette";
import { useUnreachable } from "./reach";
import { ShortcutHelp } from "./shortcut-help";
import { useShortcuts } from "./shortcuts";
import { Sidebar } from "./sidebar";
import { tenantQuery, useMe, useShownTenantId } from "./tenant";

export function Shell() {
  const state = useStore(sessionState);
  // Between a sign-out and the sign-in page there is a moment without anybody.
  return state.status === "in" ? <Frame /> : null;
}

/** What a role opens and shuts changes under one's hands: say so. */
function useRoleChange(tenantId: string | undefined): void {
  const { t, named } = useLanguage();
  const me = useMe();
  const now = { tenantId, role: tenantId ? roleIn(me, tenantId) : null };
  const before = useRef(now);
  useEffect(() => {
    const changed = before.current.tenantId === now.tenantId && before.current.role !== now.role;
    before.current = now;
    if (changed && now.role) toast.done(t("people.role_changed", { role: named("role", now.role) }));
  });
}

function Frame() {
  const { t } = useLanguage();
  const { tenantId } = useParams({ strict: false });
  const shown = useShownTenantId();
  const me = useMe();
  const { pathname } = useLocation();
  const [drawer, setDrawer] = useState(false);
  const [overlay, setOverlay] = useState<"palette" | "help" | null>(null);
  const known = tenantId && roleIn(me, tenantId) !== null;
  useEffect(() => {
    if (tenantId && known) prefer({ tenantId });
  }, [tenantId, known]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes what lay over the old one
  useEffect(() => setDrawer(false), [pathname]);
  // Of a tenant that is not there a list is empty, which would be taken for the truth.
  const tenant = useQuery({ ...tenantQuery(tenantId ?? ""), enabled: Boolean(tenantId) });
  const missing = tenant.error instanceof Problem && tenant.error.status === 404;
  // The inbox has words of its own: what is sent there is kept.
  const unreachable = useUnreachable();
  useShortcuts({
    "mod+k": () => setOverlay("palette"),
    "?": () => setOverlay("help"),
  });
  useRoleChange(shown);
  const answers = shown && may(roleIn(me, shown), "answer");
  const frame = (
    <div className="flex h-dvh min-h-0">
      <a
        href="#content"
        className="sr-only z-60 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:start-2 focus:top-2"
      >
        {t("nav.skip")}
      </a>
      <aside className="w-56 shrink-0 border-e bg-canvas max-lg:hidden">
        <Sidebar onSearch={() => setOverlay("palette")} onHelp={() => setOverlay("help")} />
      </aside>
      <div className="fixed start-2 top-3 z-30 lg:hidden">
        <IconButton label={t("nav.open")} onClick={() => setDrawer(true)}>
          <MenuIcon className="size-5" aria-hidden />
        </IconButton>
      </div>
      <Sheet open={drawer} onClose={() => setDrawer(false)} title={t("nav.label")} side="start" headless>
        <Sidebar
          onSearch={() => {
            setDrawer(false);
            setOverlay("palette");
          }}
          onHelp={() => {
            setDrawer(false);
            setOverlay("help");
          }}
        />
      </Sheet>
      <main id="content" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col bg-canvas outline-none">
        {unreachable && !pathname.includes("/inbox") && <Lost>{t("problem.lost")}</Lost>}
        <div className="min-h-0 flex-1">{missing ? <Failure error={tenant.error} /> : <Outlet />}</div>
      </main>
      <Palette open={overlay === "palette"} onClose={() => setOverlay(null)} />
      <ShortcutHelp open={overlay === "help"} onClose={() => setOverlay(null)} />
    </div>
  );
  return answers ? (
    <LiveProvider tenantId={shown}>
      <Mentions tenantId={shown} />
      {frame}
    </LiveProvider>
  ) : (
    frame
  );
}
