/** If: groups of comparisons, within one another where somebody needs it. */
import { FolderPlus, Plus, Trash2 } from "lucide-react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Button, IconButton } from "@/ui/button";
import { Select } from "@/ui/field";
import { countOf, type Group, newComparison, newGroup, type Part } from "../model/conditions";
import { ComparisonRow } from "./comparison-row";
import { useEditing } from "./context";

const MOST = 50;
const DEEPEST = 4;

interface Props {
  group: Group;
  onChange: (group: Group) => void;
}

export function ConditionsFields({ group, onChange }: Props) {
  const { t } = useLanguage();
  const { places } = useEditing();
  return (
    <div className="flex flex-col gap-3">
      {group.parts.length === 0 && <p className="text-sm text-ink-soft">{t("rule.always")}</p>}
      <GroupFields group={group} onChange={onChange} place="conditions" depth={0} room={countOf(group) < MOST} />
      {places.conditions && (
        <p role="alert" className="text-xs text-bad">
          {places.conditions}
        </p>
      )}
    </div>
  );
}

interface GroupProps extends Props {
  place: string;
  depth: number;
  /** Whether there may be more comparisons. */
  room: boolean;
  onRemove?: () => void;
}

function GroupFields({ group, onChange, place, depth, room, onRemove }: GroupProps) {
  const { t } = useLanguage();
  const bare = group.negated ? `${place}.not` : place;
  const mode = group.parts.length === 0 ? "all" : group.mode;
  const replace = (id: string, part: Part) =>
    onChange({ ...group, parts: group.parts.map((each) => (each.id === id ? part : each)) });
  const remove = (id: string) => onChange({ ...group, parts: group.parts.filter((each) => each.id !== id) });
  const add = (part: Part) => onChange({ ...group, parts: [...group.parts, part] });
  return (
    <div className={cx("flex flex-col gap-2", depth > 0 && "rounded-lg border border-line-strong border-s-2 p-3")}>
      {(group.parts.length > 1 || depth > 0 || group.negated) && (
        <GroupHead group={group} onChange={onChange} onRemove={onRemove} />
      )}
      {group.parts.length > 0 && (
        <ul className="flex flex-col gap-2">
          {group.parts.map((part, index) => (
            <li key={part.id}>
              {part.kind === "group" ? (
                <GroupFields
                  group={part}
                  onChange={(next) => replace(part.id, next)}
                  place={`${bare}.${mode}.${index}`}
                  depth={depth + 1}
                  room={room}
                  onRemove={() => remove(part.id)}
                />
              ) : (
                <ComparisonRow
                  comparison={part}
                  onChange={(next) => replace(part.id, next)}
                  onRemove={() => remove(part.id)}
                  place={`${bare}.${mode}.${index}${part.negated ? ".not" : ""}`}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {room && (
        <div className="flex flex-wrap gap-2">
          <Button size="sm" icon={<Plus className="size-3.5" aria-hidden />} onClick={() => add(newComparison())}>
            {t("rule.add_condition")}
          </Button>
          {depth < DEEPEST && (
            <Button
              size="sm"
              variant="ghost"
              icon={<FolderPlus className="size-3.5" aria-hidden />}
              onClick={() => add(newGroup([newComparison()], "any"))}
            >
              {t("rule.add_group")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

const MODES = ["all", "any", "not_any", "not_all"] as const;

interface HeadProps extends Props {
  onRemove: (() => void) | undefined;
}

function GroupHead({ group, onChange, onRemove }: HeadProps) {
  const { t, named } = useLanguage();
  const chosen = group.negated ? (`not_${group.mode}` as const) : group.mode;
  return (
    <div className="flex items-center gap-2">
      <Select
        aria-label={t("rule.group_mode")}
        className="w-auto max-w-full font-medium"
        value={chosen}
        onChange={(event) => {
          const next = event.target.value;
          onChange({ ...group, negated: next.startsWith("not_"), mode: next.endsWith("any") ? "any" : "all" });
        }}
        options={MODES.map((mode) => ({ value: mode, label: named("group_mode", mode) }))}
      />
      {onRemove && (
        <IconButton className="ms-auto" size="iconSm" label={t("rule.remove_group")} onClick={onRemove}>
          <Trash2 className="size-3.5" aria-hidden />
        </IconButton>
      )}
    </div>
  );
}
