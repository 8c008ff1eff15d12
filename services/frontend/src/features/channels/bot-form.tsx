/** What one channel's bot has of its own; what is left empty is the tenant's. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { LeaveGuard } from "@/app/leave-guard";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { ByLanguage } from "@/ui/by-language";
import { Field, FormProblem, Input, Textarea } from "@/ui/field";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { toast } from "@/ui/toast";
import { type Bot, botKey, changeBot, getBot } from "./api";

export function BotForm({ channelId, mayEdit }: { channelId: string; mayEdit: boolean }) {
  const bot = useQuery({ queryKey: botKey(channelId), queryFn: () => getBot(channelId) });
  return <Loaded query={bot}>{(data) => <Fields key={data.updated_at} bot={data} mayEdit={mayEdit} />}</Loaded>;
}

function ownPart(bot: Bot) {
  const own = (name: string) => bot.own.includes(name);
  return {
    display_name: own("display_name") ? bot.display_name : "",
    instructions: own("instructions") || own("persona.instructions") ? bot.persona.instructions : "",
    tone: own("tone") || own("persona.tone") ? bot.persona.tone : "",
    greeting: own("greeting") ? bot.greeting : {},
    model: own("model") ? (bot.model ?? "") : "",
    origins: bot.allowed_origins.join("\n"),
  };
}

function Fields({ bot, mayEdit }: { bot: Bot; mayEdit: boolean }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const initial = useMemo(() => ownPart(bot), [bot]);
  const form = useForm(initial, async (values) => {
    await changeBot(bot.channel_id, {
      display_name: values.display_name || null,
      persona: { instructions: values.instructions || null, tone: values.tone || null },
      greeting: Object.keys(values.greeting).length > 0 ? values.greeting : null,
      model: values.model || null,
      ...(bot.channel_type === "web" && { allowed_origins: values.origins.split(/\s+/).filter(Boolean) }),
    });
    await queries.invalidateQueries({ queryKey: botKey(bot.channel_id) });
    toast.done(t("state.saved"));
  });
  return (
    <Card title={t("channels.bot")} description={t("channels.bot_hint")}>
      <form onSubmit={form.onSubmit}>
        <fieldset disabled={!mayEdit} className="flex flex-col gap-4">
          <FormProblem
            problem={form.problem}
            shown={["display_name", "instructions", "tone", "greeting", "model", "allowed_origins"]}
          />
          <Field label={t("persona.name")} optional error={form.error("display_name")}>
            <Input
              maxLength={200}
              placeholder={bot.display_name}
              value={form.values.display_name}
              onChange={(event) => form.set("display_name", event.target.value)}
            />
          </Field>
          <Field label={t("persona.instructions")} optional error={form.error("instructions")}>
            <Textarea
              dir="auto"
              maxLength={8000}
              placeholder={bot.persona.instructions}
              value={form.values.instructions}
              onChange={(event) => form.set("instructions", event.target.value)}
            />
          </Field>
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t("persona.tone")} optional error={form.error("tone")}>
              <Input
                maxLength={200}
                placeholder={bot.persona.tone}
                value={form.values.tone}
                onChange={(event) => form.set("tone", event.target.value)}
              />
            </Field>
            <Field label={t("channels.model")} optional hint={t("channels.model_hint")} error={form.error("model")}>
              <Input
                dir="ltr"
                maxLength={200}
                value={form.values.model}
                onChange={(event) => form.set("model", event.target.value)}
              />
            </Field>
          </div>
          <ByLanguage
            label={t("persona.greeting")}
            value={form.values.greeting}
            onChange={(greeting) => form.set("greeting", greeting)}
            error={form.error("greeting")}
          />
          {bot.channel_type === "web" && (
            <Field
              label={t("channels.origins")}
              hint={t("channels.origins_hint")}
              error={form.error("allowed_origins")}
            >
              <Textarea
                dir="ltr"
                rows={3}
                placeholder="https://shop.example.com"
                value={form.values.origins}
                onChange={(event) => form.set("origins", event.target.value)}
              />
            </Field>
          )}
          <div className="flex items-center justify-end gap-3">
            {bot.own.length === 0 && <Badge>{t("channels.all_tenants")}</Badge>}
            {mayEdit && (
              <Button type="submit" variant="primary" busy={form.busy}>
                {t("action.save")}
              </Button>
            )}
          </div>
        </fieldset>
        <LeaveGuard dirty={form.dirty} />
      </form>
    </Card>
  );
}
