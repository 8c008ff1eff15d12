/** A passage: read, corrected, taken out. */
import { useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, call } from "@/api/client";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Field, FormProblem, Textarea } from "@/ui/field";
import type { Passage } from "./api";

interface Props {
  passage: Passage;
  sourceId: string;
  mayEdit: boolean;
}

export function PassageRow({ passage, sourceId, mayEdit }: Props) {
  const { t, format } = useLanguage();
  const queries = useQueryClient();
  const [mode, setMode] = useState<"edit" | "delete" | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: ["passages", sourceId] });
  return (
    <li className="group flex gap-3 px-4 py-3">
      <span className="w-6 shrink-0 pt-0.5 text-xs text-ink-faint">{format.number(passage.ordinal + 1)}</span>
      <div className="min-w-0 flex-1">
        {passage.heading_path.length > 0 && (
          <p className="mb-1 text-xs font-medium text-ink-soft">{passage.heading_path.join(" › ")}</p>
        )}
        {mode === "edit" ? (
          <Editor passage={passage} onClose={() => setMode(null)} onSaved={reload} />
        ) : (
          <p dir="auto" className="text-sm whitespace-pre-wrap text-ink">
            {passage.text}
          </p>
        )}
      </div>
      {mayEdit && mode !== "edit" && (
        <div className="flex gap-1 opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
          <IconButton label={t("action.edit")} size="iconSm" onClick={() => setMode("edit")}>
            <Pencil className="size-3.5" aria-hidden />
          </IconButton>
          <IconButton label={t("action.delete")} size="iconSm" onClick={() => setMode("delete")}>
            <Trash2 className="size-3.5" aria-hidden />
          </IconButton>
        </div>
      )}
      <Confirm
        open={mode === "delete"}
        onClose={() => setMode(null)}
        title={t("knowledge.delete_passage")}
        description={t("knowledge.delete_passage_hint")}
        action={t("action.delete")}
        onConfirm={async () => {
          await call(api.DELETE("/admin/passages/{passage_id}", { params: { path: { passage_id: passage.id } } }));
          await reload();
        }}
      />
    </li>
  );
}

function Editor({
  passage,
  onClose,
  onSaved,
}: {
  passage: Passage;
  onClose: () => void;
  onSaved: () => Promise<unknown>;
}) {
  const { t } = useLanguage();
  const form = useForm({ text: passage.text }, async ({ text }) => {
    await call(
      api.PATCH("/admin/passages/{passage_id}", { params: { path: { passage_id: passage.id } }, body: { text } }),
    );
    await onSaved();
    onClose();
  });
  return (
    <form className="flex flex-col gap-2" onSubmit={form.onSubmit}>
      <Field
        label={t("knowledge.passage_text")}
        hideLabel
        hint={t("knowledge.edit_passage_hint")}
        error={form.error("text")}
      >
        <Textarea
          dir="auto"
          rows={8}
          required
          value={form.values.text}
          onChange={(event) => form.set("text", event.target.value)}
        />
      </Field>
      <FormProblem problem={form.problem} shown={["text"]} />
      <div className="flex gap-2">
        <Button type="submit" size="sm" variant="primary" busy={form.busy}>
          {t("action.save")}
        </Button>
        <Button size="sm" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </div>
    </form>
  );
}
