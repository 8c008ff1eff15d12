/** Where customers write: each channel, how it lives, and a new one. */
import { MessageCircle, Plus } from "lucide-react";
import { useState } from "react";
import { useGo } from "@/app/go";
import { useBrandId, useBrands, useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Button } from "@/ui/button";
import { Card, Page } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import { type Column, RowLink } from "@/ui/table";
import { Ago } from "@/ui/time";
import { type Channel, listChannels } from "./api";
import { ChannelMark } from "./brand-marks";
import { ConnectDialog } from "./connect";
import { LiveBadge } from "./live";

export function ChannelsPage() {
  const { t, named } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const brands = useBrands();
  const mayEdit = useMay("editChannels");
  const [connecting, setConnecting] = useState(false);
  const channels = usePages(["channels", tenantId, brandId], (cursor) => listChannels(tenantId, brandId, cursor), {
    every: 15_000,
  });
  const columns: Column<Channel>[] = [
    {
      id: "name",
      label: t("field.name"),
      className: "w-full max-w-0",
      render: (channel) => (
        <div className="flex items-center gap-3">
          <ChannelMark type={channel.channel_type} />
          <div className="min-w-0">
            <RowLink to={`/t/${tenantId}/channels/${channel.id}`}>
              <bdi>{channel.display_name}</bdi>
            </RowLink>
            <span className="block truncate text-xs text-ink-faint">
              {named("channel", channel.channel_type)} ·{" "}
              <bdi>{brands.data?.items.find((brand) => brand.id === channel.brand_id)?.name}</bdi>
            </span>
          </div>
        </div>
      ),
    },
    {
      id: "live",
      label: t("field.status"),
      render: (channel) => <LiveBadge channel={channel} />,
    },
    {
      id: "event",
      label: t("channels.last_event"),
      wide: true,
      render: (channel) => (channel.live.last_event_at ? <Ago at={channel.live.last_event_at} /> : t("state.never")),
    },
  ];
  const connect = mayEdit && (
    <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setConnecting(true)}>
      {t("channels.connect")}
    </Button>
  );
  return (
    <Page title={t("nav.channels")} description={t("channels.description")} actions={connect}>
      <Card bodyClassName="">
        <PagedTable
          list={channels}
          empty={
            <Empty icon={<MessageCircle aria-hidden />} title={t("channels.none")} action={connect}>
              {t("channels.none_hint")}
            </Empty>
          }
          label={t("nav.channels")}
          columns={columns}
          rowKey={(channel) => channel.id}
          onOpen={(channel) => go(`/t/${tenantId}/channels/${channel.id}`)}
        />
      </Card>
      {connecting && <ConnectDialog tenantId={tenantId} brandId={brandId} onClose={() => setConnecting(false)} />}
    </Page>
  );
}
