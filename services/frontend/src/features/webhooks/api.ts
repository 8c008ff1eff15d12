/** Calls of the webhooks' pages. */
import { api, type Body, call } from "@/api/client";

export type Webhook = Body<"WebhookView">;
export type Delivery = Body<"WebhookDelivery">;
export type DeliveryStatus = Delivery["status"];

export const keys = {
  list: (tenantId: string) => ["webhooks", tenantId] as const,
  one: (id: string) => ["webhook", id] as const,
  deliveries: (id: string, status: DeliveryStatus | undefined) => ["webhook", id, "deliveries", status] as const,
};

const path = (id: string) => ({ params: { path: { webhook_id: id } } });

export const listWebhooks = (tenantId: string, cursor: string | undefined) =>
  call(api.GET("/admin/webhooks", { params: { query: { tenant_id: tenantId, ...(cursor && { cursor }) } } }));
export const getWebhook = (id: string) => call(api.GET("/admin/webhooks/{webhook_id}", path(id)));
export const createWebhook = (body: Body<"CreateWebhook">) => call(api.POST("/admin/webhooks", { body }));
export const changeWebhook = (id: string, body: Body<"ChangeWebhook">) =>
  call(api.PATCH("/admin/webhooks/{webhook_id}", { ...path(id), body }));
export const removeWebhook = (id: string) => call(api.DELETE("/admin/webhooks/{webhook_id}", path(id)));
export const rotateSecret = (id: string) => call(api.POST("/admin/webhooks/{webhook_id}/rotate_secret", path(id)));
export const testWebhook = (id: string) => call(api.POST("/admin/webhooks/{webhook_id}/test", path(id)));

export function listDeliveries(id: string, status: DeliveryStatus | undefined, cursor: string | undefined) {
  const query = { ...(status && { status }), ...(cursor && { cursor }) };
  const params = { ...path(id).params, query };
  return call(api.GET("/admin/webhooks/{webhook_id}/deliveries", { params }));
}
export const replayDelivery = (id: string, deliveryId: string) =>
  call(
    api.POST("/admin/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", {
      params: { path: { webhook_id: id, delivery_id: deliveryId } },
    }),
  );
