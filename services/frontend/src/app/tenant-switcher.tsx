/** Which tenant, and which of its brands, the pages are about. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Building2, ChevronsUpDown, Layers, Tag } from "lucide-react";
import { useLanguage } from "@/i18n";
import { Avatar } from "@/ui/badge";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { useGo } from "./go";
import { brandsQuery, tenantQuery, tenantsQuery, useBrandId, useMe, useShownTenantId } from "./tenant";

export function TenantSwitcher() {
  const { t } = useLanguage();
  const tenantId = useShownTenantId();
  const brandId = useBrandId();
  const me = useMe();
  const go = useGo();
  const tenants = useQuery(tenantsQuery());
  const brands = useQuery({ ...brandsQuery(tenantId ?? ""), enabled: Boolean(tenantId) });
  const { data: tenant } = useQuery({ ...tenantQuery(tenantId ?? ""), enabled: Boolean(tenantId) });
  const brand = brands.data?.items.find((each) => each.id === brandId);
  const name = tenant?.name ?? t("tenant.choose");
  return (
    <Menu
      align="start"
      className="w-60"
      trigger={
        <button
          type="button"
          className="flex h-11 w-full items-center gap-2.5 rounded-md px-1.5 text-start hover:bg-hover"
        >
          <Avatar name={name} size={28} className="rounded-lg" />
          <span className="min-w-0 flex-1">
            <span className="block truncate text-sm font-semibold">{name}</span>
            {tenant && (
              <span className="block truncate text-2xs text-ink-faint">{brand?.name ?? t("tenant.all_brands")}</span>
            )}
          </span>
          <ChevronsUpDown className="size-3.5 text-ink-faint" aria-hidden />
        </button>
      }
    >
      {tenantId && <BrandItems tenantId={tenantId} />}
      <MenuLabel>{t("tenant.label")}</MenuLabel>
      {tenants.data?.items.map((each) => (
        <MenuItem
          key={each.id}
          checked={each.id === tenantId}
          icon={<Building2 className="size-4" aria-hidden />}
          onSelect={() => go(`/t/${each.id}`)}
        >
          {each.name}
        </MenuItem>
      ))}
      {me.role === "platform_admin" && (
        <>
          <MenuLine />
          <MenuItem icon={<Layers className="size-4" aria-hidden />} onSelect={() => go("/tenants")}>
            {t("tenant.manage")}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

function BrandItems({ tenantId }: { tenantId: string }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const brandId = useBrandId();
  const brands = useQuery(brandsQuery(tenantId));
  const choose = (brand: string | undefined) => void navigate({ to: ".", search: brand ? { brand } : {} });
  if ((brands.data?.items.length ?? 0) < 2) return null;
  return (
    <>
      <MenuLabel>{t("tenant.brand")}</MenuLabel>
      <MenuItem checked={!brandId} icon={<Tag className="size-4" aria-hidden />} onSelect={() => choose(undefined)}>
        {t("tenant.all_brands")}
      </MenuItem>
      {brands.data?.items.map((each) => (
        <MenuItem
          key={each.id}
          checked={each.id === brandId}
          icon={<Tag className="size-4" aria-hidden />}
          onSelect={() => choose(each.id)}
        >
          {each.name}
        </MenuItem>
      ))}
      <MenuLine />
    </>
  );
}
