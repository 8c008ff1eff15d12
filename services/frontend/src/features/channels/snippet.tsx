/** The lines that put the widget on a page. */
import { useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { useLanguage } from "@/i18n";
import { CodeBox } from "@/ui/copy";
import { Loaded, Skeleton } from "@/ui/states";

export function Snippet({ tenantId, brandId }: { tenantId: string; brandId: string | undefined }) {
  const { t } = useLanguage();
  const snippet = useQuery({
    queryKey: ["snippet", tenantId, brandId],
    queryFn: () => {
      const query = brandId ? { brand_id: brandId } : {};
      return call(api.GET("/admin/embed_snippet/{tenant_id}", { params: { path: { tenant_id: tenantId }, query } }));
    },
    staleTime: 60_000,
  });
  return (
    <div className="flex flex-col gap-1">
      <span className="text-xs font-medium text-ink-soft">{t("channels.snippet")}</span>
      <Loaded query={snippet} loading={<Skeleton className="h-16" />}>
        {(data) => <CodeBox text={data.snippet} label={t("channels.snippet")} />}
      </Loaded>
      <span className="text-xs text-ink-faint">{t("channels.snippet_hint")}</span>
    </div>
  );
}
