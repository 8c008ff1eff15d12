/**
 * The tenant itself: its name and zone, its brands, and how its widget looks. Each form begins anew when its own part has
 * changed on the server; what is being written in another stays.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Star, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { LeaveGuard } from "@/app/leave-guard";
import { type Brand, brandsQuery, type Tenant, useMay, useTenant, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { timeZones } from "@/lib/time-zones";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { CodeBox } from "@/ui/copy";
import { Confirm } from "@/ui/dialog";
import { Field, FormProblem, Input, Select } from "@/ui/field";
import { Card, Page } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { ThemeForm } from "./theme-form";

export function SettingsPage() {
  const { t } = useLanguage();
  const tenant = useTenant();
  return (
    <Page title={t("nav.settings")}>
      <Loaded query={tenant}>
        {(data) => (
          <>
            <General tenant={data} key={`${data.name} ${data.timezone}`} />
            <Brands tenant={data} />
            <ThemeForm tenant={data} key={JSON.stringify(data.embed_theme)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function General({ tenant }: { tenant: Tenant }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const mayEdit = useMay("editPolicy");
  const form = useForm({ name: tenant.name, timezone: tenant.timezone }, async (body) => {
    await call(api.PATCH("/admin/tenants/{tenant_id}", { params: { path: { tenant_id: tenant.id } }, body }));
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["tenants"] }),
      queries.invalidateQueries({ queryKey: ["tenant", tenant.id] }),
    ]);
    toast.done(t("state.saved"));
  });
  return (
    <Card title={t("settings.general")}>
      <form className="grid gap-4 sm:grid-cols-2" onSubmit={form.onSubmit}>
        <Field label={t("field.name")} error={form.error("name")}>
          <Input
            required
            disabled={!mayEdit}
            maxLength={200}
            value={form.values.name}
            onChange={(event) => form.set("name", event.target.value)}
          />
        </Field>
        <Field label={t("field.time_zone")} error={form.error("timezone")}>
          <Select
            disabled={!mayEdit}
            value={form.values.timezone}
            onChange={(event) => form.set("timezone", event.target.value)}
            options={timeZones(tenant.timezone)}
          />
        </Field>
        <div className="sm:col-span-2">
          <Field label={t("settings.tenant_id")}>
            <CodeBox text={tenant.id} label={t("settings.tenant_id")} />
          </Field>
        </div>
        <div className="flex flex-wrap items-center justify-end gap-3 sm:col-span-2">
          <FormProblem problem={form.problem} shown={["name", "timezone"]} />
          {mayEdit && (
            <Button type="submit" variant="primary" busy={form.busy}>
              {t("action.save")}
            </Button>
          )}
        </div>
        <LeaveGuard dirty={form.dirty} />
      </form>
    </Card>
  );
}

function Brands({ tenant }: { tenant: Tenant }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const brands = useQuery(brandsQuery(useTenantId()));
  const mayEdit = useMay("editBrands");
  const [edited, setEdited] = useState<Brand | "new" | null>(null);
  const [removed, setRemoved] = useState<Brand | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: ["brands", tenant.id] });
  const makeDefault = async (brand: Brand) => {
    const body = { default_brand_id: brand.id };
    await call(api.PATCH("/admin/tenants/{tenant_id}", { params: { path: { tenant_id: tenant.id } }, body })).catch(
      toast.failed,
    );
    await queries.invalidateQueries({ queryKey: ["tenant", tenant.id] });
  };
  return (
    <Card
      title={t("settings.brands")}
      description={t("settings.brands_hint")}
      bodyClassName=""
      actions={
        mayEdit && (
          <Button size="sm" icon={<Plus className="size-3.5" aria-hidden />} onClick={() => setEdited("new")}>
            {t("settings.new_brand")}
          </Button>
        )
      }
    >
      <Loaded query={brands}>
        {({ items }) => (
          <ul>
            {items.map((brand) => (
              <li key={brand.id} className="flex items-center gap-2 border-b px-4 py-2 last:border-b-0">
                <span className="min-w-0 flex-1 truncate text-sm font-medium">
                  <bdi>{brand.name}</bdi>
                </span>
                {brand.id === tenant.default_brand_id ? (
                  <Badge tone="accent">{t("settings.default_brand")}</Badge>
                ) : (
                  mayEdit && (
                    <IconButton
                      label={t("settings.make_default")}
                      size="iconSm"
                      onClick={() => void makeDefault(brand)}
                    >
                      <Star className="size-3.5" aria-hidden />
                    </IconButton>
                  )
                )}
                {mayEdit && (
                  <>
                    <IconButton label={t("action.rename")} size="iconSm" onClick={() => setEdited(brand)}>
                      <Pencil className="size-3.5" aria-hidden />
                    </IconButton>
                    <IconButton label={t("action.delete")} size="iconSm" onClick={() => setRemoved(brand)}>
                      <Trash2 className="size-3.5" aria-hidden />
                    </IconButton>
                  </>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {edited && (
        <BrandDialog
          tenantId={tenant.id}
          brand={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onDone={reload}
        />
      )}
      {removed && (
        <Confirm
          open
          onClose={() => setRemoved(null)}
          title={t("settings.delete_brand", { name: removed.name })}
          description={t("settings.delete_brand_hint")}
          action={t("action.delete")}
          onConfirm={async () => {
            await call(api.DELETE("/admin/brands/{brand_id}", { params: { path: { brand_id: removed.id } } }));
            await reload();
          }}
        />
      )}
    </Card>
  );
}

interface BrandDialogProps {
  tenantId: string;
  brand: Brand | null;
  onClose: () => void;
  onDone: () => Promise<unknown>;
}

function BrandDialog({ tenantId, brand, onClose, onDone }: BrandDialogProps) {
  const { t } = useLanguage();
  const form = useForm({ name: brand?.name ?? "" }, async ({ name }) => {
    await call(
      brand
        ? api.PATCH("/admin/brands/{brand_id}", { params: { path: { brand_id: brand.id } }, body: { name } })
        : api.POST("/admin/brands", { body: { tenant_id: tenantId, name } }),
    );
    await onDone();
    onClose();
  });
  return (
    <FormDialog
      form={form}
      shown={["name"]}
      onClose={onClose}
      title={t(brand ? "action.rename" : "settings.new_brand")}
      action={t("action.save")}
    >
      <Field label={t("field.name")} error={form.error("name")}>
        <Input
          required
          maxLength={200}
          value={form.values.name}
          onChange={(event) => form.set("name", event.target.value)}
        />
      </Field>
    </FormDialog>
  );
}
