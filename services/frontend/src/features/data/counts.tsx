/** Counts of what was removed, by what it is; tables go by the names of the API. */
import { useLanguage } from "@/i18n";
import { Facts } from "@/ui/page";

export function Counts({ counts }: { counts: Readonly<Record<string, number>> }) {
  const { t, named, format } = useLanguage();
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length === 0) return <p className="text-sm text-ink-soft">{t("data.nothing")}</p>;
  return <Facts items={some.map(([what, count]) => [named("counted", what), format.number(count)] as const)} />;
}
