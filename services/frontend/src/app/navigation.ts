/** The console's pages in the order of a day's work, with who sees each. */
import {
  Activity,
  BookOpen,
  ChartNoAxesColumn,
  CircleHelp,
  Database,
  FlaskConical,
  Inbox,
  KeyRound,
  type LucideIcon,
  MessageCircle,
  Rocket,
  ScrollText,
  Send,
  Settings,
  Smile,
  Ticket,
  Users,
  Webhook,
  Workflow,
  Zap,
} from "lucide-react";
import type { Permission } from "@/auth/permissions";
import type { Key } from "@/i18n";

export interface NavItem {
  path: string;
  label: Key;
  icon: LucideIcon;
  needs: Permission;
  /** Second key of the chord that begins with `g`. */
  chord?: string;
}

export interface NavGroup {
  label: Key | null;
  items: readonly NavItem[];
}

export const NAVIGATION: readonly NavGroup[] = [
  {
    label: null,
    items: [
      { path: "inbox", label: "nav.inbox", icon: Inbox, needs: "answer", chord: "i" },
      { path: "tickets", label: "nav.tickets", icon: Ticket, needs: "answer", chord: "t" },
      { path: "replies", label: "nav.replies", icon: Zap, needs: "answer" },
      { path: "start", label: "nav.start", icon: Rocket, needs: "look", chord: "s" },
    ],
  },
  {
    label: "nav.group_teach",
    items: [
      { path: "knowledge", label: "nav.knowledge", icon: BookOpen, needs: "look", chord: "k" },
      { path: "gaps", label: "nav.gaps", icon: CircleHelp, needs: "look", chord: "g" },
      { path: "bench", label: "nav.bench", icon: FlaskConical, needs: "useBench", chord: "b" },
      { path: "persona", label: "nav.persona", icon: Smile, needs: "look", chord: "p" },
    ],
  },
  {
    label: "nav.group_connect",
    items: [
      { path: "channels", label: "nav.channels", icon: MessageCircle, needs: "look", chord: "c" },
      { path: "deliveries", label: "nav.deliveries", icon: Send, needs: "look", chord: "d" },
      { path: "webhooks", label: "nav.webhooks", icon: Webhook, needs: "look" },
    ],
  },
  {
    label: "nav.group_run",
    items: [
      { path: "automation", label: "nav.automation", icon: Workflow, needs: "look", chord: "r" },
      { path: "analytics", label: "nav.analytics", icon: ChartNoAxesColumn, needs: "look", chord: "a" },
      { path: "people", label: "nav.people", icon: Users, needs: "seePeople", chord: "u" },
      { path: "keys", label: "nav.keys", icon: KeyRound, needs: "seeKeys" },
      { path: "audit", label: "nav.audit", icon: ScrollText, needs: "seeAudit" },
      { path: "data", label: "nav.data", icon: Database, needs: "manageData" },
      { path: "settings", label: "nav.settings", icon: Settings, needs: "look" },
    ],
  },
];

/** Of the whole platform, below no tenant. */
export const PLATFORM_ITEMS: readonly NavItem[] = [
  { path: "automation", label: "nav.ops_automation", icon: Workflow, needs: "seeSystem" },
  { path: "system", label: "nav.system", icon: Activity, needs: "seeSystem" },
];
