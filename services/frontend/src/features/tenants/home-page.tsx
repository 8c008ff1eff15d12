/** Sends one to where the day's work is: the tenant last looked at, or the only one, or the list. */
import { useQuery } from "@tanstack/react-query";
import { Navigate, useParams } from "@tanstack/react-router";
import { Building2 } from "lucide-react";
import { tenantsQuery, useMe } from "@/app/tenant";
import { may, roleIn } from "@/auth/permissions";
import { useLanguage } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { Empty, Loaded } from "@/ui/states";

export function HomePage() {
  const { t } = useLanguage();
  const { tenantId } = useParams({ strict: false });
  const me = useMe();
  const tenants = useQuery(tenantsQuery());
  return (
    <Loaded query={tenants}>
      {({ items }) => {
        const last = preferences.get().tenantId;
        const chosen = tenantId ?? items.find((each) => each.id === last)?.id ?? items[0]?.id;
        if (!chosen && me.role === "platform_admin") return <Navigate to="/tenants" replace />;
        if (!chosen)
          return (
            <Empty icon={<Building2 aria-hidden />} title={t("tenant.none")}>
              {t("tenant.none_hint")}
            </Empty>
          );
        const page = may(roleIn(me, chosen), "editPolicy")
          ? "start"
          : may(roleIn(me, chosen), "answer")
            ? "inbox"
            : "knowledge";
        return <Navigate to={`/t/$tenantId/${page}`} params={{ tenantId: chosen }} replace />;
      }}
    </Loaded>
  );
}
