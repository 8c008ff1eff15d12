/** A text with places that are filled in when the rule runs; they are chosen by name and go where the cursor is. */
import { Braces } from "lucide-react";
import { useRef } from "react";
import { useLanguage } from "@/i18n";
import { direction } from "@/i18n/catalogue";
import { Button, IconButton } from "@/ui/button";
import { Input, Textarea } from "@/ui/field";
import { Menu, MenuItem, MenuLabel } from "@/ui/menu";
import { aboutInWords } from "../describe";
import { FIELDS, grouped, payloadOf } from "../model/vocabulary";
import { useEditing } from "./context";

export interface TemplateTextProps {
  value: string;
  onChange: (text: string) => void;
  /** Lines to show; 1 is a single-line field. */
  rows?: number;
  maxLength: number;
  lang?: string;
  required?: boolean;
  placeholder?: string | undefined;
}

type Field = HTMLInputElement & HTMLTextAreaElement;

export function TemplateText({ value, onChange, rows = 1, maxLength, lang, required, placeholder }: TemplateTextProps) {
  const field = useRef<Field>(null);
  const insert = (name: string) => {
    const written = `{{${name}}}`;
    const { selectionStart, selectionEnd } = field.current ?? {
      selectionStart: value.length,
      selectionEnd: value.length,
    };
    const [from, to] = [selectionStart ?? value.length, selectionEnd ?? value.length];
    onChange(value.slice(0, from) + written + value.slice(to));
    const after = from + written.length;
    // After the menu has given the focus back to its button.
    setTimeout(() => {
      field.current?.focus();
      field.current?.setSelectionRange(after, after);
    }, 50);
  };
  const shared = {
    ref: field,
    value,
    maxLength,
    required,
    placeholder,
    lang,
    dir: lang ? direction(lang) : "auto",
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  return rows === 1 ? (
    <div className="flex gap-1">
      <Input {...shared} />
      <Inserter onInsert={insert} small />
    </div>
  ) : (
    <div className="flex flex-col gap-1">
      <Textarea rows={rows} {...shared} />
      <Inserter onInsert={insert} />
    </div>
  );
}

interface InserterProps {
  onInsert: (name: string) => void;
  /** A sign alone, beside a single line. */
  small?: boolean;
}

function Inserter({ onInsert, small = false }: InserterProps) {
  const language = useLanguage();
  const { trigger, variables } = useEditing();
  const groups = [
    ...grouped(Object.keys(FIELDS)),
    ["event", payloadOf(trigger).map((key) => `event.${key}`)] as const,
    ["variable", variables.map((name) => `variable.${name}`)] as const,
  ].filter(([, names]) => names.length > 0);
  return (
    <Menu
      align="start"
      trigger={
        small ? (
          <IconButton label={language.t("rule.insert")}>
            <Braces className="size-3.5" aria-hidden />
          </IconButton>
        ) : (
          <Button size="sm" variant="ghost" className="self-start" icon={<Braces className="size-3.5" aria-hidden />}>
            {language.t("rule.insert")}
          </Button>
        )
      }
    >
      {groups.map(([head, names]) => (
        <div key={head}>
          <MenuLabel>{language.named("rule_field_group", head)}</MenuLabel>
          {names.map((name) => (
            <MenuItem key={name} onSelect={() => onInsert(name)}>
              {aboutInWords(name, language)}
            </MenuItem>
          ))}
        </div>
      ))}
    </Menu>
  );
}
