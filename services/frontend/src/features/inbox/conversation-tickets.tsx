/** The tickets of a conversation, and a new one out of it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ticket } from "lucide-react";
import { useState } from "react";
import { keys, listTicketsOf } from "@/features/tickets/api";
import { StatusBadge } from "@/features/tickets/marks";
import { NewTicketDialog } from "@/features/tickets/new-ticket";
import { useLanguage } from "@/i18n";
import { Button } from "@/ui/button";
import type { Conversation } from "./api";
import { visitorName } from "./people";

export function ConversationTickets({ conversation }: { conversation: Conversation }) {
  const { t, format } = useLanguage();
  const [making, setMaking] = useState(false);
  const { tenant_id: tenantId, id } = conversation;
  const tickets = useQuery({ queryKey: keys.of(id), queryFn: () => listTicketsOf(tenantId, id) });
  const email = conversation.visitor.email;
  return (
    <>
      <ul className="flex flex-col gap-1 empty:hidden">
        {tickets.data?.items.map((ticket) => (
          <li key={ticket.id}>
            <Link
              to="/t/$tenantId/tickets/$ticketId"
              params={{ tenantId, ticketId: ticket.id }}
              className="flex items-center gap-2 rounded-md py-1 text-sm hover:underline"
            >
              <span className="text-ink-faint">#{format.number(ticket.number, { useGrouping: false })}</span>
              <bdi className="min-w-0 flex-1 truncate">{ticket.subject}</bdi>
              <StatusBadge status={ticket.status} />
            </Link>
          </li>
        ))}
      </ul>
      <Button
        size="sm"
        className="self-start"
        icon={<Ticket className="size-3.5" aria-hidden />}
        onClick={() => setMaking(true)}
      >
        {t("tickets.new")}
      </Button>
      {making && (
        <NewTicketDialog
          tenantId={tenantId}
          conversationId={id}
          subject={conversation.subject ?? ""}
          requester={{ name: visitorName(conversation, t), email: typeof email === "string" ? email : "" }}
          onClose={() => setMaking(false)}
        />
      )}
    </>
  );
}
