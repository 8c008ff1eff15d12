/** What a tenant has that rules name by id: channels, brands, agents, canned replies. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useBrands, useMay, useTenantId } from "@/app/tenant";
import { CHANNEL_TYPES, listChannels } from "@/features/channels/api";
import { keys as inboxKeys, listAgents, listCanned } from "@/features/inbox/api";
import { type Language, useLanguage } from "@/i18n";
import type { Option } from "@/ui/field";

export interface Lookups {
  channels: readonly Option[];
  brands: readonly Option[];
  agents: readonly Option[];
  replies: readonly Option[];
}

export const NO_LOOKUPS: Lookups = { channels: [], brands: [], agents: [], replies: [] };

const LANGUAGES = [
  "en",
  "fa",
  "es",
  "ar",
  "de",
  "fr",
  "hi",
  "it",
  "ja",
  "ko",
  "nl",
  "pl",
  "pt",
  "ru",
  "tr",
  "uk",
  "zh",
];
const ROLES = ["visitor", "bot", "agent"];
const MODES = ["model", "extractive", "no_answer", "human", "closed"];
const STATES = ["bot", "waiting", "human", "closed"];
const TICKET_STATUSES = ["open", "pending", "solved", "closed"];
const PRIORITIES = ["low", "normal", "high", "urgent"];

export function useLookups(): Lookups {
  const tenantId = useTenantId();
  const brands = useBrands();
  const maySeePeople = useMay("answer");
  const channels = useQuery({
    queryKey: ["channels", tenantId, "all"],
    queryFn: () => listChannels(tenantId, undefined, undefined),
  });
  const agents = useQuery({
    queryKey: inboxKeys.agents(tenantId),
    queryFn: () => listAgents(tenantId),
    enabled: maySeePeople,
  });
  const replies = useQuery({
    queryKey: inboxKeys.canned(tenantId),
    queryFn: () => listCanned(tenantId),
    enabled: maySeePeople,
  });
  return useMemo(
    () => ({
      channels: (channels.data?.items ?? []).map((each) => ({ value: each.id, label: each.display_name })),
      brands: (brands.data?.items ?? []).map((each) => ({ value: each.id, label: each.name })),
      agents: (agents.data ?? []).map((each) => ({ value: each.id, label: each.name })),
      replies: (replies.data?.items ?? []).map((each) => ({ value: each.id, label: each.title })),
    }),
    [channels.data, brands.data, agents.data, replies.data],
  );
}

/** The values that a field can have; null: any text. */
export function choicesOf(field: string, lookups: Lookups, { named, format }: Language): readonly Option[] | null {
  const options = (codes: readonly string[], words: (code: string) => string) =>
    codes.map((code) => ({ value: code, label: words(code) }));
  switch (field) {
    case "channel.id":
      return lookups.channels;
    case "brand.id":
      return lookups.brands;
    case "channel.type":
      return options(CHANNEL_TYPES, (type) => named("channel", type));
    case "message.language":
    case "conversation.language":
      return options(LANGUAGES, format.language);
    case "message.role":
      return options(ROLES, (role) => named("author", role));
    case "message.mode":
      return options(MODES, (mode) => named("mode", mode));
    case "conversation.state":
      return options(STATES, (state) => named("conversation", state));
    case "ticket.status":
      return options(TICKET_STATUSES, (status) => named("ticket", status));
    case "ticket.priority":
      return options(PRIORITIES, (priority) => named("priority", priority));
    default:
      return null;
  }
}

export function useChoices(field: string, lookups: Lookups): readonly Option[] | null {
  const language = useLanguage();
  return useMemo(() => choicesOf(field, lookups, language), [field, lookups, language]);
}
