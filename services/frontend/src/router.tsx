/** The addresses of the console. Each page is its own chunk, read when it is first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Missing, PageFailure, PagePending } from "./app/fallbacks";
import { patiently } from "./app/reach";
import { RootView } from "./app/root";
import { Shell } from "./app/shell";
import { session, sessionState } from "./auth/session";

export interface Search {
  /** The brand that the tenant's pages are narrowed to. */
  brand?: string;
  next?: string;
  tab?: string;
  /** The conversation whose visitor is to be erased. */
  erase?: string;
}

/** A page that is a chunk of its own. */
const lazyPage: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => patiently(load), name);

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

function readSearch(search: Record<string, unknown>): Search {
  const [brand, next, tab] = [text(search.brand), text(search.next), text(search.tab)];
  const erase = text(search.erase);
  return { ...(brand && { brand }), ...(next && { next }), ...(tab && { tab }), ...(erase && { erase }) };
}

const root = createRootRoute({ component: RootView, validateSearch: readSearch, notFoundComponent: Missing });

const signin = createRoute({
  getParentRoute: () => root,
  path: "/signin",
  component: lazyPage(() => import("./features/signin/signin-page"), "SignInPage"),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyPage(() => import("./features/signin/token-page"), "InvitationPage"),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyPage(() => import("./features/signin/token-page"), "ResetPage"),
});

/** Everything below asks for somebody signed in, and comes back here after. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  beforeLoad: async ({ location }) => {
    await session.resume();
    if (sessionState.get().status !== "in") throw redirect({ to: "/signin", search: { next: location.href } });
  },
});

const page = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, component });
const ofTenant = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path: `/t/$tenantId/${path}` as const, component });

const home = lazyPage(() => import("./features/tenants/home-page"), "HomePage");
const inbox = lazyPage(() => import("./features/inbox/inbox-page"), "InboxPage");
const tickets = lazyPage(() => import("./features/tickets/tickets-page"), "TicketsPage");

const pages = [
  page("/", home),
  page("/t/$tenantId", home),
  page(
    "/tenants",
    lazyPage(() => import("./features/tenants/tenants-page"), "TenantsPage"),
  ),
  page(
    "/account",
    lazyPage(() => import("./features/account/account-page"), "AccountPage"),
  ),
  page(
    "/system",
    lazyPage(() => import("./features/system/system-page"), "SystemPage"),
  ),
  page(
    "/automation",
    lazyPage(() => import("./features/automation/ops-page"), "OpsPage"),
  ),
  ofTenant(
    "automation",
    lazyPage(() => import("./features/automation/automation-page"), "AutomationPage"),
  ),
  ofTenant(
    "automation/$ruleId",
    lazyPage(() => import("./features/automation/rule-page"), "RulePage"),
  ),
  ofTenant(
    "webhooks",
    lazyPage(() => import("./features/webhooks/webhooks-page"), "WebhooksPage"),
  ),
  ofTenant(
    "webhooks/$webhookId",
    lazyPage(() => import("./features/webhooks/webhook-page"), "WebhookPage"),
  ),
  ofTenant(
    "start",
    lazyPage(() => import("./features/start/start-page"), "StartPage"),
  ),
  ofTenant("inbox", inbox),
  ofTenant("inbox/$conversationId", inbox),
  ofTenant(
    "knowledge",
    lazyPage(() => import("./features/knowledge/knowledge-page"), "KnowledgePage"),
  ),
  ofTenant(
    "knowledge/$sourceId",
    lazyPage(() => import("./features/knowledge/source-page"), "SourcePage"),
  ),
  ofTenant(
    "bench",
    lazyPage(() => import("./features/bench/bench-page"), "BenchPage"),
  ),
  ofTenant(
    "gaps",
    lazyPage(() => import("./features/gaps/gaps-page"), "GapsPage"),
  ),
  ofTenant(
    "channels",
    lazyPage(() => import("./features/channels/channels-page"), "ChannelsPage"),
  ),
  ofTenant(
    "channels/$channelId",
    lazyPage(() => import("./features/channels/channel-page"), "ChannelPage"),
  ),
  ofTenant(
    "deliveries",
    lazyPage(() => import("./features/channels/deliveries-page"), "DeliveriesPage"),
  ),
  ofTenant(
    "persona",
    lazyPage(() => import("./features/persona/persona-page"), "PersonaPage"),
  ),
  ofTenant("tickets", tickets),
  ofTenant("tickets/$ticketId", tickets),
  ofTenant(
    "replies",
    lazyPage(() => import("./features/replies/replies-page"), "RepliesPage"),
  ),
  ofTenant(
    "people",
    lazyPage(() => import("./features/people/people-page"), "PeoplePage"),
  ),
  ofTenant(
    "analytics",
    lazyPage(() => import("./features/analytics/analytics-page"), "AnalyticsPage"),
  ),
  ofTenant(
    "data",
    lazyPage(() => import("./features/data/data-page"), "DataPage"),
  ),
  ofTenant(
    "audit",
    lazyPage(() => import("./features/audit/audit-page"), "AuditPage"),
  ),
  ofTenant(
    "keys",
    lazyPage(() => import("./features/keys/keys-page"), "KeysPage"),
  ),
  ofTenant(
    "settings",
    lazyPage(() => import("./features/tenants/settings-page"), "SettingsPage"),
  ),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([signin, invitation, reset, inside.addChildren(pages)]),
  basepath: "/console",
  defaultPreload: "intent",
  defaultPendingMs: 150,
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageFailure,
  defaultNotFoundComponent: Missing,
  search: { strict: true },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
