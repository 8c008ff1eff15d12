/** What was deleted of late, and the way back. */
import { useQueryClient } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { api, type Body, call } from "@/api/client";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { More } from "@/ui/more";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";

type Deleted = Body<"DeletedRecord">;

function restore({ kind, id }: Deleted): Promise<unknown> {
  switch (kind) {
    case "user":
      return call(api.POST("/admin/users/{user_id}/restore", { params: { path: { user_id: id } } }));
    case "rule":
      return call(api.POST("/admin/automation/rules/{rule_id}/restore", { params: { path: { rule_id: id } } }));
    case "webhook":
      return call(api.POST("/admin/webhooks/{webhook_id}/restore", { params: { path: { webhook_id: id } } }));
    case "channel":
      return call(api.POST("/admin/channels/{channel_id}/restore", { params: { path: { channel_id: id } } }));
    case "tenant":
      return call(api.POST("/admin/tenants/{tenant_id}/restore", { params: { path: { tenant_id: id } } }));
  }
}

export function DeletedCard() {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const deleted = usePages(["deleted", tenantId], (cursor) =>
    call(api.GET("/admin/deleted", { params: { query: { tenant_id: tenantId, ...(cursor && { cursor }) } } })),
  );
  const bringBack = async (record: Deleted) => {
    await restore(record).catch(toast.failed);
    await queries.invalidateQueries();
  };
  return (
    <Card title={t("data.deleted")} description={t("data.deleted_hint")} bodyClassName="">
      <Loaded query={deleted}>
        {(items) =>
          items.length === 0 ? (
            <p className="p-4 text-sm text-ink-soft">{t("data.none_deleted")}</p>
          ) : (
            <ul className="divide-y">
              {items.map((record) => (
                <li key={record.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-sm">
                  <Badge>{named("deleted_kind", record.kind)}</Badge>
                  <span className="min-w-0 flex-1 truncate font-medium">
                    <bdi>{record.name}</bdi>
                  </span>
                  <span className="text-xs text-ink-faint">
                    {t("data.until")} <When at={record.restorable_until} />
                  </span>
                  <Button
                    size="sm"
                    icon={<Undo2 className="size-3.5" aria-hidden />}
                    onClick={() => void bringBack(record)}
                  >
                    {t("data.restore")}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <More list={deleted} />
    </Card>
  );
}
