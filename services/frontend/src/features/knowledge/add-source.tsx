/** Adds what is not a file: a page, a sitemap, pairs of question and answer, a text. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { FormDialog } from "@/app/form-dialog";
import { brandsQuery, useTenant } from "@/app/tenant";
import { type Key, useLanguage } from "@/i18n";
import { type Form, useForm } from "@/lib/form";
import { Button, IconButton } from "@/ui/button";
import { Field, Input, Select, Textarea, Toggle } from "@/ui/field";
import { addSource, type NewSource } from "./api";
import { splitTags } from "./tags";

export type AddKind = NewSource["kind"];

const TITLES: Record<AddKind, [Key, Key]> = {
  url: ["knowledge.add_url", "knowledge.add_url_hint"],
  sitemap: ["knowledge.add_sitemap", "knowledge.add_sitemap_hint"],
  qa: ["knowledge.add_qa", "knowledge.add_qa_hint"],
  text: ["knowledge.add_text", "knowledge.add_text_hint"],
};

interface Values {
  title: string;
  content: string;
  url: string;
  pairs: { question: string; answer: string }[];
  tags: string;
  internal: boolean;
  brand: string;
}

const FRESH = { title: "", content: "", url: "", pairs: [{ question: "", answer: "" }], tags: "", internal: false };

function asSource(kind: AddKind, values: Values): NewSource {
  if (kind === "text") return { kind, title: values.title, content: values.content };
  if (kind === "qa") return { kind, pairs: values.pairs, ...(values.title && { title: values.title }) };
  return { kind, url: values.url };
}

interface Props {
  kind: AddKind;
  tenantId: string;
  brandId: string | undefined;
  onClose: () => void;
  onAdded: () => Promise<unknown>;
}

export function AddSourceDialog({ kind, tenantId, brandId, onClose, onAdded }: Props) {
  const { t } = useLanguage();
  const tenant = useTenant();
  const brands = useQuery(brandsQuery(tenantId));
  const standard = brandId ?? tenant.data?.default_brand_id ?? brands.data?.items[0]?.id ?? "";
  const form = useForm<Values>({ ...FRESH, brand: "" }, async (values) => {
    await addSource(values.brand || standard, {
      ...asSource(kind, values),
      tags: splitTags(values.tags),
      visibility: values.internal ? "internal" : "public",
    });
    await onAdded();
    onClose();
  });
  const [title, hint] = TITLES[kind];
  return (
    <FormDialog
      form={form}
      shown={["url", "title", "content", "tags"]}
      onClose={onClose}
      title={t(title)}
      description={t(hint)}
      wide={kind === "text" || kind === "qa"}
      action={t("action.add")}
    >
      <Content kind={kind} form={form} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("field.tags")} hint={t("knowledge.tags_hint")} optional error={form.error("tags")}>
          <Input value={form.values.tags} onChange={(event) => form.set("tags", event.target.value)} />
        </Field>
        <Field label={t("tenant.brand")}>
          <Select
            value={form.values.brand || standard}
            onChange={(event) => form.set("brand", event.target.value)}
            options={(brands.data?.items ?? []).map((brand) => ({ value: brand.id, label: brand.name }))}
          />
        </Field>
      </div>
      <Toggle
        checked={form.values.internal}
        onChange={(internal) => form.set("internal", internal)}
        label={t("knowledge.internal")}
        hint={t("knowledge.internal_hint")}
      />
    </FormDialog>
  );
}

function Content({ kind, form }: { kind: AddKind; form: Form<Values> }) {
  const { t } = useLanguage();
  if (kind === "qa") return <Pairs form={form} />;
  if (kind === "text") {
    return (
      <>
        <Field label={t("field.title")} error={form.error("title")}>
          <Input
            required
            maxLength={500}
            value={form.values.title}
            onChange={(event) => form.set("title", event.target.value)}
          />
        </Field>
        <Field label={t("knowledge.text")} hint={t("knowledge.text_hint")} error={form.error("content")}>
          <Textarea
            required
            rows={12}
            dir="auto"
            value={form.values.content}
            onChange={(event) => form.set("content", event.target.value)}
          />
        </Field>
      </>
    );
  }
  return (
    <Field label={t("field.address")} error={form.error("url")}>
      <Input
        required
        type="url"
        dir="ltr"
        placeholder="https://example.com/help"
        value={form.values.url}
        onChange={(event) => form.set("url", event.target.value)}
      />
    </Field>
  );
}

function Pairs({ form }: { form: Form<Values> }) {
  const { t } = useLanguage();
  const { pairs } = form.values;
  const [keys, setKeys] = useState([0]);
  const change = (index: number, part: Partial<Values["pairs"][number]>) =>
    form.set(
      "pairs",
      pairs.map((pair, at) => (at === index ? { ...pair, ...part } : pair)),
    );
  const remove = (index: number) => {
    form.set(
      "pairs",
      pairs.filter((_, at) => at !== index),
    );
    setKeys(keys.filter((_, at) => at !== index));
  };
  return (
    <div className="flex flex-col gap-4">
      {pairs.map((pair, index) => (
        <div key={keys[index]} className="flex flex-col gap-3 rounded-lg border p-3">
          <div className="flex items-start gap-2">
            <Field className="flex-1" label={t("knowledge.question")} error={form.error(`pairs.${index}.question`)}>
              <Input
                required
                dir="auto"
                maxLength={2000}
                value={pair.question}
                onChange={(event) => change(index, { question: event.target.value })}
              />
            </Field>
            {pairs.length > 1 && (
              <IconButton label={t("action.remove")} size="iconSm" onClick={() => remove(index)}>
                <X className="size-3.5" aria-hidden />
              </IconButton>
            )}
          </div>
          <Field label={t("knowledge.answer")} error={form.error(`pairs.${index}.answer`)}>
            <Textarea
              required
              dir="auto"
              rows={3}
              value={pair.answer}
              onChange={(event) => change(index, { answer: event.target.value })}
            />
          </Field>
        </div>
      ))}
      <Button
        className="self-start"
        size="sm"
        icon={<Plus className="size-3.5" aria-hidden />}
        onClick={() => {
          form.set("pairs", [...pairs, { question: "", answer: "" }]);
          setKeys([...keys, Math.max(...keys) + 1]);
        }}
      >
        {t("knowledge.add_pair")}
      </Button>
    </div>
  );
}
