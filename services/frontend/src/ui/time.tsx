/** A moment, told from now and exactly when pointed at. */
import { useLanguage } from "@/i18n";

export function Ago({ at }: { at: string }) {
  const { format } = useLanguage();
  return (
    <time dateTime={at} title={format.dateTime(at)} className="whitespace-nowrap">
      {format.ago(at)}
    </time>
  );
}

export function When({ at }: { at: string }) {
  const { format } = useLanguage();
  return (
    <time dateTime={at} title={format.ago(at)} className="whitespace-nowrap">
      {format.dateTime(at)}
    </time>
  );
}
