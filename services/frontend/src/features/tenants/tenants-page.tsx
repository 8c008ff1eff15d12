/** All tenants of the platform, and a new one. */
import { useQueryClient } from "@tanstack/react-query";
import { Building2, Plus } from "lucide-react";
import { useState } from "react";
import { api, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { useGo } from "@/app/go";
import { listTenants, type Tenant } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { timeZones } from "@/lib/time-zones";
import { Avatar } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, Input, Select } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import { type Column, RowLink } from "@/ui/table";
import { Ago } from "@/ui/time";

export function TenantsPage() {
  const { t } = useLanguage();
  const go = useGo();
  const [making, setMaking] = useState(false);
  const tenants = usePages<Tenant>(["tenants", "pages"], listTenants);
  const columns: Column<Tenant>[] = [
    {
      id: "name",
      label: t("field.name"),
      render: (tenant) => (
        <RowLink to={`/t/${tenant.id}`}>
          <span className="flex items-center gap-2.5">
            <Avatar name={tenant.name} size={24} className="rounded-md" />
            <bdi>{tenant.name}</bdi>
          </span>
        </RowLink>
      ),
    },
    { id: "zone", label: t("field.time_zone"), wide: true, render: (tenant) => <bdi>{tenant.timezone}</bdi> },
    { id: "made", label: t("field.created"), render: (tenant) => <Ago at={tenant.created_at} /> },
  ];
  return (
    <Page
      title={t("tenants.title")}
      actions={
        <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setMaking(true)}>
          {t("tenants.new")}
        </Button>
      }
    >
      <Card bodyClassName="">
        <PagedTable
          list={tenants}
          empty={
            <Empty icon={<Building2 aria-hidden />} title={t("tenants.none")}>
              {t("tenants.none_hint")}
            </Empty>
          }
          label={t("tenants.title")}
          columns={columns}
          rowKey={(tenant) => tenant.id}
          onOpen={(tenant) => go(`/t/${tenant.id}`)}
        />
      </Card>
      {making && <NewTenant onClose={() => setMaking(false)} />}
    </Page>
  );
}

function NewTenant({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const go = useGo();
  const queries = useQueryClient();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = useForm({ name: "", timezone: here }, async (values) => {
    const tenant = await call(api.POST("/admin/tenants", { body: values }));
    await queries.invalidateQueries({ queryKey: ["tenants"] });
    onClose();
    go(`/t/${tenant.id}/start`);
  });
  return (
    <FormDialog
      form={form}
      shown={["name", "timezone"]}
      onClose={onClose}
      title={t("tenants.new")}
      description={t("tenants.new_hint")}
      action={t("action.create")}
    >
      <Field label={t("field.name")} error={form.error("name")}>
        <Input
          required
          maxLength={200}
          value={form.values.name}
          onChange={(event) => form.set("name", event.target.value)}
        />
      </Field>
      <Field label={t("field.time_zone")} error={form.error("timezone")}>
        <Select
          value={form.values.timezone}
          onChange={(event) => form.set("timezone", event.target.value)}
          options={timeZones(here)}
        />
      </Field>
    </FormDialog>
  );
}
