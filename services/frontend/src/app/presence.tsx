/** The agent at work: how many conversations wait, and whether one is there for them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { may, roleIn } from "@/auth/permissions";
import { keys, listAgents, type Presence, setPresence } from "@/features/inbox/api";
import { useCounts } from "@/features/inbox/use-inbox";
import { useLanguage } from "@/i18n";
import { Dot } from "@/ui/badge";
import { MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { toast } from "@/ui/toast";
import { useLive } from "./live";
import { useMe, useShownTenantId } from "./tenant";

export function InboxCount({ tenantId }: { tenantId: string }) {
  const { tn, format } = useLanguage();
  const queries = useQueryClient();
  const counts = useCounts(tenantId);
  useLive((event) => {
    if (event === "behind" || event.name.startsWith("conversation."))
      void queries.invalidateQueries({ queryKey: keys.counts(tenantId) });
  });
  const waiting = counts.data?.waiting ?? 0;
  if (waiting === 0) return null;
  return (
    <span className="min-w-4.5 rounded-full bg-warn-soft px-1 text-center text-2xs leading-4.5 font-semibold text-warn">
      <span className="sr-only">{tn("inbox.waiting_count", waiting)}</span>
      <span aria-hidden>{format.number(waiting)}</span>
    </span>
  );
}

const CHOICES = [
  ["online", "good"],
  ["away", "warn"],
] as const satisfies readonly (readonly [Presence, string])[];

export function PresenceItems() {
  const me = useMe();
  const tenantId = useShownTenantId();
  if (!tenantId || !me.user || !may(roleIn(me, tenantId), "answer")) return null;
  return <Choices tenantId={tenantId} userId={me.user.id} />;
}

function Choices({ tenantId, userId }: { tenantId: string; userId: string }) {
  const { t, named } = useLanguage();
  const queries = useQueryClient();
  const agents = useQuery({ queryKey: keys.agents(tenantId), queryFn: () => listAgents(tenantId), staleTime: 30_000 });
  const present = agents.data?.find((agent) => agent.id === userId)?.presence;
  const choose = async (presence: Presence) => {
    await setPresence(tenantId, presence).catch(toast.failed);
    await queries.invalidateQueries({ queryKey: keys.agents(tenantId) });
  };
  return (
    <>
      <MenuLine />
      <MenuLabel>{t("presence.label")}</MenuLabel>
      {CHOICES.map(([presence, tone]) => (
        <MenuItem
          key={presence}
          icon={<Dot tone={tone} className="mx-1" />}
          checked={present === presence}
          onSelect={() => void choose(presence)}
        >
          {named("presence", presence)}
        </MenuItem>
      ))}
    </>
  );
}
