/** Canned replies: what is said often, by a shortcut, with the names filled in. */
import { useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2, Zap } from "lucide-react";
import { useState } from "react";
import { api, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { useTenantId } from "@/app/tenant";
import { type CannedReply, changeCanned, createCanned, keys, removeCanned } from "@/features/inbox/api";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Field, Input, Textarea } from "@/ui/field";
import { More } from "@/ui/more";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";

const VARIABLES = ["{{visitor.name}}", "{{agent.name}}", "{{brand.name}}", "{{conversation.id}}"];

export function RepliesPage() {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const queries = useQueryClient();
  const [edited, setEdited] = useState<CannedReply | "new" | null>(null);
  const [removed, setRemoved] = useState<CannedReply | null>(null);
  const replies = usePages<CannedReply>(["replies", tenantId], (cursor) =>
    call(api.GET("/admin/canned_replies", { params: { query: { tenant_id: tenantId, ...(cursor && { cursor }) } } })),
  );
  const reload = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["replies", tenantId] }),
      queries.invalidateQueries({ queryKey: keys.canned(tenantId) }),
    ]);
  const add = (
    <Button variant="primary" icon={<Plus className="size-4" aria-hidden />} onClick={() => setEdited("new")}>
      {t("replies.new")}
    </Button>
  );
  return (
    <Page title={t("nav.replies")} description={t("replies.description")} actions={add}>
      <Card bodyClassName="">
        <Loaded query={replies}>
          {(items) =>
            items.length === 0 ? (
              <Empty icon={<Zap aria-hidden />} title={t("replies.none")} action={add}>
                {t("replies.none_hint")}
              </Empty>
            ) : (
              <ul className="divide-y">
                {items.map((reply) => (
                  <li key={reply.id} className="flex items-start gap-3 px-4 py-3">
                    <div className="min-w-0 flex-1">
                      <p className="flex flex-wrap items-center gap-2 text-sm font-medium">
                        <bdi>{reply.title}</bdi>
                        <Badge>
                          <bdi>/{reply.shortcut}</bdi>
                        </Badge>
                      </p>
                      <p dir="auto" className="start-of-page mt-0.5 line-clamp-2 text-xs text-ink-soft">
                        {reply.text}
                      </p>
                    </div>
                    <IconButton
                      label={`${t("action.edit")}: ${reply.title}`}
                      size="iconSm"
                      onClick={() => setEdited(reply)}
                    >
                      <Pencil className="size-3.5" aria-hidden />
                    </IconButton>
                    <IconButton
                      label={`${t("action.delete")}: ${reply.title}`}
                      size="iconSm"
                      onClick={() => setRemoved(reply)}
                    >
                      <Trash2 className="size-3.5" aria-hidden />
                    </IconButton>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
        <More list={replies} />
      </Card>
      {edited && (
        <ReplyDialog
          tenantId={tenantId}
          reply={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={reload}
        />
      )}
      {removed && (
        <Confirm
          open
          onClose={() => setRemoved(null)}
          title={t("settings.delete_brand", { name: removed.title })}
          description={t("replies.delete_hint")}
          action={t("action.delete")}
          onConfirm={async () => {
            await removeCanned(removed.id);
            await reload();
          }}
        />
      )}
    </Page>
  );
}

interface ReplyDialogProps {
  tenantId: string;
  reply: CannedReply | null;
  onClose: () => void;
  onSaved: () => Promise<unknown>;
}

function ReplyDialog({ tenantId, reply, onClose, onSaved }: ReplyDialogProps) {
  const { t } = useLanguage();
  const form = useForm(
    { title: reply?.title ?? "", shortcut: reply?.shortcut ?? "", text: reply?.text ?? "" },
    async (values) => {
      await (reply ? changeCanned(reply.id, values) : createCanned({ tenant_id: tenantId, ...values }));
      await onSaved();
      onClose();
    },
  );
  return (
    <FormDialog
      form={form}
      shown={["title", "shortcut", "text"]}
      onClose={onClose}
      title={t(reply ? "action.edit" : "replies.new")}
      wide
      action={t("action.save")}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("field.title")} error={form.error("title")}>
          <Input
            required
            maxLength={200}
            dir="auto"
            value={form.values.title}
            onChange={(event) => form.set("title", event.target.value)}
          />
        </Field>
        <Field label={t("replies.shortcut")} hint={t("replies.shortcut_hint")} error={form.error("shortcut")}>
          <Input
            required
            maxLength={60}
            dir="auto"
            value={form.values.shortcut}
            onChange={(event) => form.set("shortcut", event.target.value)}
          />
        </Field>
      </div>
      <Field label={t("knowledge.text")} hint={t("replies.text_hint")} error={form.error("text")}>
        <Textarea
          required
          rows={6}
          maxLength={8000}
          dir="auto"
          value={form.values.text}
          onChange={(event) => form.set("text", event.target.value)}
        />
      </Field>
      <div className="flex flex-wrap gap-1">
        {VARIABLES.map((variable) => (
          <Button key={variable} size="sm" onClick={() => form.set("text", form.values.text + variable)}>
            <code dir="ltr">{variable}</code>
          </Button>
        ))}
      </div>
    </FormDialog>
  );
}
