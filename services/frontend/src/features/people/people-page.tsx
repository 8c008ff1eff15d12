/** Who works here: roles, invitations, and what happens to an account. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { MailPlus, MoreHorizontal, ShieldCheck, Users } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useMe, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Avatar, Badge, type Tone } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Confirm, TakeAway } from "@/ui/dialog";
import { Filter, SearchInput, Select } from "@/ui/field";
import { Menu, MenuItem, MenuLine } from "@/ui/menu";
import { More } from "@/ui/more";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { Ago, When } from "@/ui/time";
import { toast } from "@/ui/toast";
import {
  activate,
  leaveTenant,
  listInvitations,
  listPeople,
  MEMBER_ROLES,
  type MemberRole,
  type Person,
  type PersonStatus,
  remove,
  resetPassword,
  restore,
  revokeInvitation,
  setRole,
  suspend,
} from "./api";
import { InviteDialog } from "./invite";

const STATUSES = ["active", "suspended", "deleted"] as const satisfies readonly PersonStatus[];
const TONES: Record<PersonStatus, Tone> = { active: "good", suspended: "warn", deleted: "bad" };

export function PeoplePage() {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const [status, setStatus] = useState<PersonStatus | undefined>();
  const [inviting, setInviting] = useState(false);
  const q = useDeferredValue(typed.trim());
  const people = usePages(["people", tenantId, q, status], (cursor) => listPeople(tenantId, q, status, cursor));
  const reload = () => queries.invalidateQueries({ queryKey: ["people", tenantId] });
  return (
    <Page
      title={t("nav.people")}
      description={t("people.description")}
      actions={
        <Button variant="primary" icon={<MailPlus className="size-4" aria-hidden />} onClick={() => setInviting(true)}>
          {t("people.invite")}
        </Button>
      }
    >
      <div className="flex flex-wrap gap-2">
        <SearchInput label={t("people.search")} value={typed} onChange={(event) => setTyped(event.target.value)} />
        <Filter
          label={t("field.status")}
          any={t("people.any_status")}
          values={STATUSES}
          value={status}
          onChange={setStatus}
          name={(each) => named("person", each)}
        />
      </div>
      <Card bodyClassName="">
        <Loaded query={people}>
          {(items) =>
            items.length === 0 ? (
              <Empty icon={<Users aria-hidden />} title={t("people.none")}>
                {t("people.none_hint")}
              </Empty>
            ) : (
              <PeopleTable people={items} tenantId={tenantId} onChanged={reload} />
            )
          }
        </Loaded>
        <More list={people} />
      </Card>
      <Invitations tenantId={tenantId} />
      {inviting && (
        <InviteDialog
          tenantId={tenantId}
          onClose={() => setInviting(false)}
          onInvited={() => queries.invalidateQueries({ queryKey: ["invitations", tenantId] })}
        />
      )}
    </Page>
  );
}

interface PeopleTableProps {
  people: readonly Person[];
  tenantId: string;
  onChanged: () => Promise<unknown>;
}

function PeopleTable({ people, tenantId, onChanged }: PeopleTableProps) {
  const { t, named } = useLanguage();
  const act = (action: Promise<unknown>) => void action.then(onChanged).catch(toast.failed);
  const columns: Column<Person>[] = [
    {
      id: "name",
      label: t("field.name"),
      className: "w-full max-w-0",
      render: (person) => (
        <div className="flex items-center gap-3">
          <Avatar name={person.name || person.email} size={30} />
          <div className="min-w-0">
            <bdi className="block truncate font-medium">{person.name}</bdi>
            <span dir="ltr" className="block truncate text-start text-xs text-ink-faint">
              {person.email}
            </span>
          </div>
        </div>
      ),
    },
    {
      id: "role",
      label: t("field.role"),
      render: (person) => (
        <RoleSelect person={person} tenantId={tenantId} onChange={(role) => act(setRole(person.id, tenantId, role))} />
      ),
    },
    {
      id: "status",
      label: t("field.status"),
      wide: true,
      render: (person) => (
        <span className="flex items-center gap-1">
          <Badge tone={TONES[person.status]}>{named("person", person.status)}</Badge>
          {person.totp_enabled && <ShieldCheck className="size-4 text-good" aria-label={t("people.totp")} />}
        </span>
      ),
    },
    {
      id: "seen",
      label: t("people.last_sign_in"),
      wide: true,
      render: (person) => (person.last_sign_in_at ? <Ago at={person.last_sign_in_at} /> : t("state.never")),
    },
    {
      id: "menu",
      label: t("field.actions"),
      className: "text-end",
      render: (person) => <PersonMenu person={person} tenantId={tenantId} onChanged={onChanged} />,
    },
  ];
  return <Table label={t("nav.people")} columns={columns} rows={people} rowKey={(person) => person.id} />;
}

function RoleSelect({
  person,
  tenantId,
  onChange,
}: {
  person: Person;
  tenantId: string;
  onChange: (role: MemberRole) => void;
}) {
  const { t, named } = useLanguage();
  const me = useMe();
  const role = person.memberships.find((each) => each.tenant_id === tenantId)?.role;
  if (person.is_platform_admin && !role) return <Badge tone="accent">{named("role", "platform_admin")}</Badge>;
  return (
    <Select
      aria-label={`${t("field.role")}: ${person.name}`}
      className="w-28 sm:w-36"
      value={role ?? ""}
      // By a slip here administrators would be none any more, and could not take it back.
      disabled={person.status !== "active" || person.id === me.user?.id}
      onChange={(event) => onChange(event.target.value as MemberRole)}
      options={MEMBER_ROLES.map((each) => ({ value: each, label: named("role", each) }))}
    />
  );
}

function PersonMenu({
  person,
  tenantId,
  onChanged,
}: {
  person: Person;
  tenantId: string;
  onChanged: () => Promise<unknown>;
}) {
  const { t } = useLanguage();
  const me = useMe();
  const [asked, setAsked] = useState<"delete" | "leave" | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const act = (action: Promise<unknown>) => void action.then(onChanged).catch(toast.failed);
  if (person.id === me.user?.id) return null;
  return (
    <>
      <Menu
        trigger={
          <IconButton size="iconSm" label={t("field.actions")}>
            <MoreHorizontal className="size-4" aria-hidden />
          </IconButton>
        }
      >
        {person.status === "deleted" ? (
          <MenuItem onSelect={() => act(restore(person.id))}>{t("people.restore")}</MenuItem>
        ) : (
          <>
            <MenuItem
              onSelect={() =>
                void resetPassword(person.id)
                  .then((made) => setLink(made.reset_url))
                  .catch(toast.failed)
              }
            >
              {t("people.reset")}
            </MenuItem>
            {person.status === "suspended" ? (
              <MenuItem onSelect={() => act(activate(person.id))}>{t("people.activate")}</MenuItem>
            ) : (
              <MenuItem onSelect={() => act(suspend(person.id))}>{t("people.suspend")}</MenuItem>
            )}
            <MenuLine />
            <MenuItem onSelect={() => setAsked("leave")}>{t("people.leave")}</MenuItem>
            <MenuItem danger onSelect={() => setAsked("delete")}>
              {t("action.delete")}
            </MenuItem>
          </>
        )}
      </Menu>
      <Confirm
        open={asked !== null}
        onClose={() => setAsked(null)}
        title={t(asked === "leave" ? "people.leave_title" : "people.delete_title", {
          name: person.name || person.email,
        })}
        description={t(asked === "leave" ? "people.leave_hint" : "people.delete_hint")}
        action={t(asked === "leave" ? "people.leave" : "action.delete")}
        onConfirm={async () => {
          await (asked === "leave" ? leaveTenant(person.id, tenantId) : remove(person.id));
          await onChanged();
        }}
      />
      {link && (
        <TakeAway
          text={link}
          label={t("people.reset")}
          onClose={() => setLink(null)}
          title={t("people.reset")}
          description={t("people.reset_hint")}
        />
      )}
    </>
  );
}

function Invitations({ tenantId }: { tenantId: string }) {
  const { t, named } = useLanguage();
  const queries = useQueryClient();
  const invitations = useQuery({ queryKey: ["invitations", tenantId], queryFn: () => listInvitations(tenantId) });
  const open = invitations.data?.items.filter((each) => each.status === "open") ?? [];
  if (open.length === 0) return null;
  const revoke = (id: string) =>
    void revokeInvitation(id)
      .then(() => queries.invalidateQueries({ queryKey: ["invitations", tenantId] }))
      .catch(toast.failed);
  return (
    <Card title={t("people.invitations")} bodyClassName="">
      <ul className="divide-y">
        {open.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-3 px-4 py-2.5">
            <span dir="ltr" className="min-w-0 flex-1 truncate text-start text-sm font-medium">
              {each.email}
            </span>
            <Badge>{named("role", each.role)}</Badge>
            <span className="text-xs text-ink-faint">
              {t("people.until")} <When at={each.expires_at} />
            </span>
            <Button size="sm" variant="danger" onClick={() => revoke(each.id)}>
              {t("keys_page.revoke")}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
