/** Whoever is named in a note hears of it, on whichever page; the feed tells it also after a lost connection. */
import { useParams } from "@tanstack/react-router";
import { useLanguage } from "@/i18n";
import { toast } from "@/ui/toast";
import { useGo } from "./go";
import { useLive } from "./live";
import { useMe } from "./tenant";

export function Mentions({ tenantId }: { tenantId: string }) {
  const { t } = useLanguage();
  const me = useMe().user?.id;
  const go = useGo();
  const { conversationId } = useParams({ strict: false });
  useLive((event) => {
    if (event === "behind" || event.name !== "note.created" || me === undefined) return;
    const { mentions, agent_id: author, conversation_id: about } = event.data;
    const isForMe = Array.isArray(mentions) && mentions.includes(me) && author !== me;
    if (!isForMe || (about === conversationId && document.visibilityState === "visible")) return;
    toast.lead(t("inbox.mentioned"), t("tickets.conversation"), () => go(`/t/${tenantId}/inbox/${about}`));
  });
  return null;
}
