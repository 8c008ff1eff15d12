/** Navigation: whose desk this is, the pages, and oneself. */
import { Link } from "@tanstack/react-router";
import { CircleUser, Keyboard, LogOut, Search } from "lucide-react";
import { may, roleIn } from "@/auth/permissions";
import { session } from "@/auth/session";
import { useLanguage } from "@/i18n";
import { Avatar, Kbd } from "@/ui/badge";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { Appearance } from "./appearance";
import { useGo } from "./go";
import { NAVIGATION, type NavItem, PLATFORM_ITEMS } from "./navigation";
import { InboxCount, PresenceItems } from "./presence";
import { useShortcuts } from "./shortcuts";
import { useMe, useShownTenantId } from "./tenant";
import { TenantSwitcher } from "./tenant-switcher";

interface Props {
  onSearch: () => void;
  onHelp: () => void;
}

export function Sidebar({ onSearch, onHelp }: Props) {
  const { t } = useLanguage();
  const tenantId = useShownTenantId();
  const me = useMe();
  const role = tenantId ? roleIn(me, tenantId) : null;
  return (
    <div className="flex h-full flex-col">
      <div className="p-2">
        <TenantSwitcher />
        <button
          type="button"
          onClick={onSearch}
          className="mt-1 flex h-8 w-full items-center gap-2 rounded-md border bg-panel px-2 text-sm text-ink-faint hover:border-line-strong"
        >
          <Search className="size-3.5" aria-hidden />
          <span className="flex-1 text-start">{t("nav.search")}</span>
          <span dir="ltr" className="flex gap-0.5">
            <Kbd>Ctrl</Kbd>
            <Kbd>K</Kbd>
          </span>
        </button>
      </div>
      <nav aria-label={t("nav.label")} className="scroll-quiet min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {tenantId &&
          NAVIGATION.map((group) => {
            const items = group.items.filter((item) => may(role, item.needs));
            if (items.length === 0) return null;
            return (
              <div key={group.label ?? "first"} className="mb-3">
                {group.label && (
                  <h2 className="px-2 pt-1 pb-1 text-2xs font-medium text-ink-faint">{t(group.label)}</h2>
                )}
                {items.map((item) => (
                  <NavLink key={item.path} item={item} to={`/t/${tenantId}/${item.path}`} tenantId={tenantId} />
                ))}
              </div>
            );
          })}
        {me.role === "platform_admin" &&
          PLATFORM_ITEMS.map((item) => <NavLink key={item.path} item={item} to={`/${item.path}`} />)}
      </nav>
      {tenantId && <NavigationKeys tenantId={tenantId} />}
      <div className="border-t p-2">
        <OwnMenu onHelp={onHelp} />
      </div>
    </div>
  );
}

function NavLink({ item, to, tenantId }: { item: NavItem; to: string; tenantId?: string }) {
  const { t } = useLanguage();
  const Icon = item.icon;
  return (
    <Link
      to={to}
      search={(before) => (before.brand ? { brand: before.brand } : {})}
      className="flex h-7.5 items-center gap-2.5 rounded-md px-2 text-sm transition-colors hover:bg-hover hover:text-ink pointer-coarse:h-10"
      inactiveProps={{ className: "text-ink-soft" }}
      activeProps={{ className: "bg-hover font-medium text-ink", "aria-current": "page" }}
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      <span className="flex-1 truncate">{t(item.label)}</span>
      {item.path === "inbox" && tenantId && <InboxCount tenantId={tenantId} />}
    </Link>
  );
}

/** `g` and then a page's letter. */
function NavigationKeys({ tenantId }: { tenantId: string }) {
  const go = useGo();
  const chords = NAVIGATION.flatMap((group) => group.items)
    .filter((item) => item.chord)
    .map((item) => [`g ${item.chord}`, () => go(`/t/${tenantId}/${item.path}`)] as const);
  useShortcuts(Object.fromEntries(chords));
  return null;
}

function OwnMenu({ onHelp }: { onHelp: () => void }) {
  const { t } = useLanguage();
  const me = useMe();
  const go = useGo();
  const name = me.user?.name || me.user?.email || me.subject;
  return (
    <Menu
      align="start"
      side="top"
      trigger={
        <button
          type="button"
          className="flex h-10 w-full items-center gap-2 rounded-md px-1.5 text-start hover:bg-hover"
        >
          <Avatar name={name} size={26} />
          <span className="min-w-0 flex-1">
            <span className="block truncate text-sm font-medium">{name}</span>
          </span>
        </button>
      }
    >
      <MenuLabel>{me.user?.email}</MenuLabel>
      <MenuItem icon={<CircleUser className="size-4" aria-hidden />} onSelect={() => go("/account")}>
        {t("nav.account")}
      </MenuItem>
      <MenuItem icon={<Keyboard className="size-4" aria-hidden />} onSelect={onHelp}>
        {t("keys.title")}
      </MenuItem>
      <PresenceItems />
      <MenuLine />
      <Appearance />
      <MenuLine />
      <MenuItem icon={<LogOut className="size-4" aria-hidden />} onSelect={() => void session.signOut()}>
        {t("nav.sign_out")}
      </MenuItem>
    </Menu>
  );
}
