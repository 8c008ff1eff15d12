/** Everything of one kind as a file. */
import { Download } from "lucide-react";
import { useState } from "react";
import { download } from "@/api/client";
import { useTenantId } from "@/app/tenant";
import { type Key, useLanguage } from "@/i18n";
import { saveBlob } from "@/lib/save";
import { Button } from "@/ui/button";
import { Card } from "@/ui/page";
import { toast } from "@/ui/toast";

const EXPORTS = [
  ["conversations", "/admin/conversations/export", "data.conversations"],
  ["messages", "/admin/messages/export", "data.messages"],
  ["tickets", "/api/tickets/export", "nav.tickets"],
  ["events", "/admin/event_log/export", "data.events"],
] as const satisfies readonly (readonly [string, string, Key])[];

export function ExportCard() {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const [busy, setBusy] = useState("");
  const save = async (name: string, path: string, format: "csv" | "jsonl") => {
    setBusy(`${name}.${format}`);
    await download(`${path}?${new URLSearchParams({ tenant_id: tenantId, format })}`)
      .then((blob) => saveBlob(blob, `${name}.${format}`))
      .catch(toast.failed);
    setBusy("");
  };
  return (
    <Card title={t("action.export")} description={t("data.export_hint")} bodyClassName="">
      <ul className="divide-y">
        {EXPORTS.map(([name, path, label]) => (
          <li key={name} className="flex items-center gap-2 px-4 py-2">
            <span className="min-w-0 flex-1 text-sm font-medium">{t(label)}</span>
            {(["csv", "jsonl"] as const).map((format) => (
              <Button
                key={format}
                size="sm"
                aria-label={`${t(label)} ${format.toUpperCase()}`}
                busy={busy === `${name}.${format}`}
                icon={<Download className="size-3.5" aria-hidden />}
                onClick={() => void save(name, path, format)}
              >
                {format.toUpperCase()}
              </Button>
            ))}
          </li>
        ))}
      </ul>
    </Card>
  );
}
