/** A sign for each kind of action. */
import {
  CircleCheck,
  Clock,
  Hand,
  type LucideIcon,
  Mail,
  MessageSquare,
  MessageSquareQuote,
  StickyNote,
  Tag,
  Ticket,
  UserPlus,
  Variable,
  Webhook,
} from "lucide-react";
import { cx } from "@/lib/classes";

const ICONS: Readonly<Record<string, LucideIcon>> = {
  reply: MessageSquare,
  canned_reply: MessageSquareQuote,
  webhook: Webhook,
  ticket: Ticket,
  assign: UserPlus,
  tag: Tag,
  hand_over: Hand,
  note: StickyNote,
  email: Mail,
  close: CircleCheck,
  wait: Clock,
  set_variable: Variable,
};

export function ActionIcon({ type, className }: { type: string; className?: string }) {
  const Icon = ICONS[type] ?? CircleCheck;
  return <Icon className={cx("size-4 shrink-0 text-ink-faint", className)} aria-hidden />;
}
