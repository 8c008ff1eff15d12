/** The keys, told. */
import { type Key, useLanguage } from "@/i18n";
import { Kbd } from "@/ui/badge";
import { Dialog } from "@/ui/dialog";

const GROUPS: readonly { title: Key; keys: readonly (readonly [string, Key])[] }[] = [
  {
    title: "keys.everywhere",
    keys: [
      ["Ctrl K", "keys.palette"],
      ["?", "keys.help"],
      ["G I", "keys.go_inbox"],
      ["G T", "keys.go_tickets"],
      ["G K", "keys.go_knowledge"],
    ],
  },
  {
    title: "nav.inbox",
    keys: [
      ["J", "keys.next"],
      ["K", "keys.previous"],
      ["R", "keys.reply"],
      ["N", "keys.note"],
      ["A", "keys.take"],
      ["B", "keys.hand_back"],
      ["E", "keys.close"],
      ["/", "keys.search"],
      ["Ctrl ↵", "keys.send"],
      ["Esc", "keys.leave"],
    ],
  },
];

export function ShortcutHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <Dialog open={open} onClose={onClose} title={t("keys.title")} wide>
      <div className="grid gap-6 sm:grid-cols-2">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className="mb-2 text-xs font-medium text-ink-faint">{t(group.title)}</h3>
            <dl className="flex flex-col gap-1.5">
              {group.keys.map(([keys, label]) => (
                <div key={keys} className="flex items-center justify-between gap-3">
                  <dt className="text-sm">{t(label)}</dt>
                  <dd dir="ltr" className="flex gap-1">
                    {keys.split(" ").map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
