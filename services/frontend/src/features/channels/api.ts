/** Calls of the channel pages, and what each type asks for. */
import { api, type Body, call } from "@/api/client";
import asked from "../../../api/channels.json";

export type Channel = Body<"ChannelView">;
export type Bot = Body<"BotView">;
export type LiveState = Body<"StateView">;
export type Finding = Body<"FindingView">;
export type ChannelType = Body<"CreateChannel">["channel_type"];

/** A field of a provider's credentials, as the platform declares it. */
export interface AskedField {
  name: string;
  type: string;
  secret: boolean;
  required: boolean;
  options: string[] | null;
  default: unknown;
  description: string;
  /** It is asked for only while another field has one of these values. */
  only_with: Readonly<Record<string, readonly string[]>> | null;
}

export const ASKED = asked as Record<ChannelType, AskedField[]>;
export const CHANNEL_TYPES = Object.keys(ASKED) as ChannelType[];

/** Types behind which no provider stands: nobody is told an address, and nothing has to run for them. */
export const SELF_CONTAINED: readonly string[] = ["web", "webhook"];

export const channelKey = (channelId: string) => ["channel", channelId];
export const botKey = (channelId: string) => ["bot", channelId];

const path = (channelId: string) => ({ params: { path: { channel_id: channelId } } });

export function listChannels(tenantId: string, brandId: string | undefined, cursor: string | undefined) {
  const query = { tenant_id: tenantId, ...(brandId && { brand_id: brandId }), ...(cursor && { cursor }) };
  return call(api.GET("/admin/channels", { params: { query } }));
}

export const getChannel = (id: string) => call(api.GET("/admin/channels/{channel_id}", path(id)));
export const createChannel = (body: Body<"CreateChannel">) => call(api.POST("/admin/channels", { body }));
export const changeChannel = (id: string, body: Body<"ChangeChannel">) =>
  call(api.PATCH("/admin/channels/{channel_id}", { ...path(id), body }));
export const removeChannel = (id: string) => call(api.DELETE("/admin/channels/{channel_id}", path(id)));
export const testChannel = (id: string) => call(api.POST("/admin/channels/{channel_id}/test", path(id)));
export const registerChannel = (id: string) => call(api.POST("/admin/channels/{channel_id}/register", path(id)));
export const rotateSecret = (id: string) =>
  call(api.POST("/admin/channels/{channel_id}/rotate_secret", { ...path(id), body: null }));
export const getBot = (id: string) => call(api.GET("/admin/bots/{channel_id}", path(id)));
export const changeBot = (id: string, body: Body<"ChangeBot">) =>
  call(api.PATCH("/admin/bots/{channel_id}", { ...path(id), body }));
