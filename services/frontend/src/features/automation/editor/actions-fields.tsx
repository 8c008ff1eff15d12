/** Then: what is done, one card after another. */
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useLanguage } from "@/i18n";
import { Button, IconButton } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";
import { ActionIcon } from "../action-icon";
import { actionName } from "../describe";
import { type ActionCard, blankCard } from "../model/draft";
import { ACTION_TYPES, fits } from "../model/vocabulary";
import { ActionFields } from "./action-fields";
import { useEditing } from "./context";
import { PlaceMessage } from "./place-message";

const MOST = 20;

interface Props {
  cards: readonly ActionCard[];
  onChange: (cards: ActionCard[]) => void;
}

export function ActionsFields({ cards, onChange }: Props) {
  const { t } = useLanguage();
  const { places } = useEditing();
  const move = (from: number, to: number) => {
    const next = [...cards];
    const [card] = next.splice(from, 1);
    if (card) next.splice(to, 0, card);
    onChange(next);
  };
  return (
    <div className="flex flex-col gap-3">
      {cards.length === 0 && <p className="text-sm text-ink-soft">{t("rule.no_actions")}</p>}
      <ol className="flex flex-col gap-3">
        {cards.map((card, index) => (
          <li key={card.id}>
            <CardFields
              card={card}
              index={index}
              last={index === cards.length - 1}
              onChange={(next) => onChange(cards.map((each) => (each.id === card.id ? next : each)))}
              onMove={(to) => move(index, to)}
              onRemove={() => onChange(cards.filter((each) => each.id !== card.id))}
            />
          </li>
        ))}
      </ol>
      {places.actions && (
        <p role="alert" className="text-xs text-bad">
          {places.actions}
        </p>
      )}
      {cards.length < MOST && <AddAction onAdd={(card) => onChange([...cards, card])} />}
    </div>
  );
}

function AddAction({ onAdd }: { onAdd: (card: ActionCard) => void }) {
  const language = useLanguage();
  const { trigger } = useEditing();
  return (
    <Menu
      align="start"
      trigger={
        <Button className="self-start" icon={<Plus className="size-4" aria-hidden />}>
          {language.t("rule.add_action")}
        </Button>
      }
    >
      {ACTION_TYPES.map((type) => (
        <MenuItem
          key={type}
          icon={<ActionIcon type={type} />}
          disabled={!fits(type, trigger)}
          onSelect={() => onAdd(blankCard(type))}
        >
          {actionName(type, language)}
        </MenuItem>
      ))}
    </Menu>
  );
}

interface CardProps {
  card: ActionCard;
  index: number;
  last: boolean;
  onChange: (card: ActionCard) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
}

function CardFields({ card, index, last, onChange, onMove, onRemove }: CardProps) {
  const language = useLanguage();
  const { t, format } = language;
  const { trigger } = useEditing();
  const { type } = card.value;
  return (
    <section aria-label={`${format.number(index + 1)}. ${actionName(type, language)}`} className="rounded-lg border">
      <header className="flex items-center gap-2 border-b bg-sunken px-3 py-1.5">
        <span className="text-xs text-ink-faint tabular-nums">{format.number(index + 1)}</span>
        <ActionIcon type={type} />
        <h3 className="min-w-0 flex-1 truncate text-sm font-medium">{actionName(type, language)}</h3>
        <IconButton size="iconSm" label={t("rule.move_up")} disabled={index === 0} onClick={() => onMove(index - 1)}>
          <ArrowUp className="size-3.5" aria-hidden />
        </IconButton>
        <IconButton size="iconSm" label={t("rule.move_down")} disabled={last} onClick={() => onMove(index + 1)}>
          <ArrowDown className="size-3.5" aria-hidden />
        </IconButton>
        <IconButton size="iconSm" label={t("rule.remove_action")} onClick={onRemove}>
          <Trash2 className="size-3.5" aria-hidden />
        </IconButton>
      </header>
      <div className="flex flex-col gap-3 p-3">
        {!fits(type, trigger) && (
          <p role="alert" className="text-xs text-bad">
            {t("rule.needs_conversation")}
          </p>
        )}
        <ActionFields
          value={card.value}
          onChange={(value) => onChange({ ...card, value })}
          place={`actions.${index}`}
        />
        <OwnMessage place={`actions.${index}`} />
      </div>
    </section>
  );
}

/** What was said of the action as a whole; what is said of a field of it stands there. */
function OwnMessage({ place }: { place: string }) {
  const { places } = useEditing();
  return places[place] ? <PlaceMessage place={place} /> : null;
}
