/** Tickets as cards in columns by status; a card is dragged, or moved by its menu where nothing can be dragged. */
import { useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal } from "lucide-react";
import { type DragEvent, useState } from "react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import type { Pages } from "@/lib/paging";
import { IconButton } from "@/ui/button";
import { Menu, MenuItem, MenuLabel } from "@/ui/menu";
import { More } from "@/ui/more";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { changeTicket, keys, STATUSES, type Ticket, type TicketStatus } from "./api";
import { PriorityBadge, SlaClock } from "./marks";

const TICKET = "application/x-xin-ticket";

export function Board({ tickets, onOpen }: { tickets: Pages<Ticket>; onOpen: (ticket: Ticket) => void }) {
  const queries = useQueryClient();
  const move = async (ticket: Ticket, status: TicketStatus) => {
    if (ticket.status === status) return;
    await changeTicket(ticket.id, { status, version: ticket.version }).catch(toast.failed);
    await queries.invalidateQueries({ queryKey: keys.lists(ticket.tenant_id) });
  };
  return (
    <Loaded query={tickets}>
      {(items) => (
        <div className="scroll-quiet flex min-h-0 flex-1 snap-x gap-4 overflow-x-auto p-4 sm:px-6">
          {STATUSES.map((status) => (
            <Lane
              key={status}
              status={status}
              tickets={items.filter((ticket) => ticket.status === status)}
              onOpen={onOpen}
              onMove={(ticket, to) => void move(ticket, to)}
              onDrop={(id) => {
                const dropped = items.find((ticket) => ticket.id === id);
                if (dropped) void move(dropped, status);
              }}
            />
          ))}
          <More list={tickets} />
        </div>
      )}
    </Loaded>
  );
}

interface LaneProps {
  status: TicketStatus;
  tickets: readonly Ticket[];
  onOpen: (ticket: Ticket) => void;
  onMove: (ticket: Ticket, status: TicketStatus) => void;
  onDrop: (ticketId: string) => void;
}

function Lane({ status, tickets, onOpen, onMove, onDrop }: LaneProps) {
  const { named, format, t } = useLanguage();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    onDrop(event.dataTransfer.getData(TICKET));
  };
  return (
    <section
      aria-label={named("ticket", status)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cx(
        "flex min-w-60 flex-1 snap-start flex-col rounded-xl border transition-colors",
        over ? "border-accent bg-accent-soft" : "bg-sunken/60",
      )}
    >
      <h2 className="flex items-center gap-2 px-3 py-2.5 text-xs font-semibold text-ink-soft">
        {named("ticket", status)}
        <span className="font-normal text-ink-faint">{format.number(tickets.length)}</span>
      </h2>
      <ul className="scroll-quiet flex min-h-24 flex-col gap-2 overflow-y-auto px-2 pb-2">
        {tickets.length === 0 && (
          <li className="px-1 py-4 text-center text-xs text-ink-faint">{t("tickets.lane_empty")}</li>
        )}
        {tickets.map((ticket) => (
          <li
            key={ticket.id}
            draggable
            onDragStart={(event) => event.dataTransfer.setData(TICKET, ticket.id)}
            className="flex flex-col gap-2 rounded-lg border bg-panel p-3 shadow-xs"
          >
            <div className="flex items-start gap-2">
              <button
                type="button"
                onClick={() => onOpen(ticket)}
                className="min-w-0 flex-1 text-start text-sm font-medium hover:underline"
              >
                <bdi className="line-clamp-2">{ticket.subject}</bdi>
              </button>
              <Menu
                trigger={
                  <IconButton size="iconSm" className="-me-1.5 -mt-1" label={t("tickets.move")}>
                    <MoreHorizontal className="size-4" aria-hidden />
                  </IconButton>
                }
              >
                <MenuLabel>{t("tickets.move")}</MenuLabel>
                {STATUSES.filter((each) => each !== status).map((each) => (
                  <MenuItem key={each} onSelect={() => onMove(ticket, each)}>
                    {named("ticket", each)}
                  </MenuItem>
                ))}
              </Menu>
            </div>
            <div className="flex flex-wrap items-center gap-1">
              <span className="text-2xs text-ink-faint">#{format.number(ticket.number, { useGrouping: false })}</span>
              <PriorityBadge priority={ticket.priority} />
              <SlaClock sla={ticket.sla} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
