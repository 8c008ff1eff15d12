/** What was promised to be looked into: as a list or a board, with the clocks running. */
import { useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Columns3, Download, List, Plus, Ticket as TicketIcon } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { download } from "@/api/client";
import { useGo } from "@/app/go";
import { useLive } from "@/app/live";
import { useBrandId, useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { saveBlob } from "@/lib/save";
import { Button, IconButton } from "@/ui/button";
import { Sheet } from "@/ui/dialog";
import { Filter, SearchInput } from "@/ui/field";
import { Menu, MenuItem } from "@/ui/menu";
import { More } from "@/ui/more";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { type Column, RowLink, Table } from "@/ui/table";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";
import {
  keys,
  listTickets,
  PRIORITIES,
  type Priority,
  STATUSES,
  type Ticket,
  type TicketFilter,
  type TicketStatus,
} from "./api";
import { Board } from "./board";
import { PriorityBadge, SlaClock, StatusBadge } from "./marks";
import { NewTicketDialog } from "./new-ticket";
import { TicketPanel } from "./ticket-panel";

type View = "list" | "board";

export function TicketsPage() {
  const { t, named } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const { ticketId } = useParams({ strict: false });
  const queries = useQueryClient();
  const [view, setView] = useState<View>("list");
  const mayEdit = useMay("manageTickets");
  const [making, setMaking] = useState(false);
  const [status, setStatus] = useState<TicketStatus | undefined>();
  const [late, setLate] = useState(false);
  const [priority, setPriority] = useState<Priority | undefined>();
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim());
  const filter: TicketFilter = { status: view === "board" ? undefined : status, priority, breached: late, brandId, q };
  const tickets = usePages(keys.list(tenantId, filter), (cursor) => listTickets(tenantId, filter, cursor), {
    every: 60_000,
  });
  useLive((event) => {
    const erased = event !== "behind" && event.name === "erased"; // tickets go with their conversation
    if (event !== "behind" && !erased && !event.name.startsWith("ticket.")) return;
    void queries.invalidateQueries({ queryKey: keys.lists(tenantId) });
    if (ticketId) void queries.invalidateQueries({ queryKey: keys.one(ticketId) });
  });
  const open = (ticket: Ticket) => go(`/t/${tenantId}/tickets/${ticket.id}`);
  return (
    <Page
      title={t("nav.tickets")}
      wide
      bare={view === "board"}
      actions={
        <>
          <IconButton
            variant="secondary"
            label={t(view === "list" ? "tickets.board" : "tickets.list")}
            onClick={() => setView(view === "list" ? "board" : "list")}
          >
            {view === "list" ? <Columns3 className="size-4" aria-hidden /> : <List className="size-4" aria-hidden />}
          </IconButton>
          <ExportMenu tenantId={tenantId} />
          {mayEdit && (
            <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setMaking(true)}>
              {t("tickets.new")}
            </Button>
          )}
        </>
      }
    >
      <div className={view === "board" ? "flex flex-wrap gap-2 px-4 pt-4 sm:px-6" : "flex flex-wrap gap-2"}>
        <SearchInput label={t("tickets.search")} value={typed} onChange={(event) => setTyped(event.target.value)} />
        {view === "list" && (
          <Filter
            label={t("field.status")}
            any={t("tickets.any_status")}
            values={STATUSES}
            value={status}
            onChange={setStatus}
            name={(each) => named("ticket", each)}
          />
        )}
        <Filter
          label={t("tickets.priority")}
          any={t("tickets.any_priority")}
          values={PRIORITIES}
          value={priority}
          onChange={setPriority}
          name={(each) => named("priority", each)}
        />
        <Button aria-pressed={late} variant={late ? "primary" : "secondary"} onClick={() => setLate(!late)}>
          {named("sla", "breached")}
        </Button>
      </div>
      {view === "board" ? (
        <Board tickets={tickets} onOpen={open} />
      ) : (
        <Card bodyClassName="">
          <Loaded query={tickets}>
            {(items) =>
              items.length === 0 ? (
                <Empty icon={<TicketIcon aria-hidden />} title={t("tickets.none")}>
                  {t("tickets.none_hint")}
                </Empty>
              ) : (
                <TicketTable tickets={items} onOpen={open} />
              )
            }
          </Loaded>
          <More list={tickets} />
        </Card>
      )}
      {making && <NewTicketDialog tenantId={tenantId} onClose={() => setMaking(false)} />}
      <Sheet open={ticketId !== undefined} onClose={() => go(`/t/${tenantId}/tickets`)} title={t("tickets.one")}>
        {ticketId && <TicketPanel ticketId={ticketId} />}
      </Sheet>
    </Page>
  );
}

function TicketTable({ tickets, onOpen }: { tickets: readonly Ticket[]; onOpen: (ticket: Ticket) => void }) {
  const { t, format } = useLanguage();
  const columns: Column<Ticket>[] = [
    {
      id: "number",
      label: "#",
      wide: true,
      render: (ticket) => (
        <span className="text-ink-faint">{format.number(ticket.number, { useGrouping: false })}</span>
      ),
    },
    {
      id: "subject",
      label: t("tickets.subject"),
      className: "w-full max-w-0",
      render: (ticket) => (
        <div className="min-w-0">
          <RowLink to={`/t/${ticket.tenant_id}/tickets/${ticket.id}`}>
            <bdi>{ticket.subject}</bdi>
          </RowLink>
          <bdi className="block truncate text-xs text-ink-faint">{ticket.requester.name}</bdi>
        </div>
      ),
    },
    { id: "status", label: t("field.status"), render: (ticket) => <StatusBadge status={ticket.status} /> },
    {
      id: "priority",
      label: t("tickets.priority"),
      wide: true,
      render: (ticket) => <PriorityBadge priority={ticket.priority} />,
    },
    { id: "sla", label: t("tickets.sla"), wide: true, render: (ticket) => <SlaClock sla={ticket.sla} /> },
    {
      id: "assignee",
      label: t("inbox.assignee"),
      wide: true,
      render: (ticket) => <bdi>{ticket.assignee?.name ?? "—"}</bdi>,
    },
    { id: "updated", label: t("field.updated"), wide: true, render: (ticket) => <Ago at={ticket.updated_at} /> },
  ];
  return (
    <Table label={t("nav.tickets")} columns={columns} rows={tickets} rowKey={(ticket) => ticket.id} onOpen={onOpen} />
  );
}

function ExportMenu({ tenantId }: { tenantId: string }) {
  const { t } = useLanguage();
  const save = (format: "csv" | "jsonl") =>
    void download(`/api/tickets/export?tenant_id=${tenantId}&format=${format}`)
      .then((blob) => saveBlob(blob, `tickets.${format}`))
      .catch(toast.failed);
  return (
    <Menu
      trigger={
        <IconButton variant="secondary" label={t("action.export")}>
          <Download className="size-4" aria-hidden />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => save("csv")}>CSV</MenuItem>
      <MenuItem onSelect={() => save("jsonl")}>JSON Lines</MenuItem>
    </Menu>
  );
}
