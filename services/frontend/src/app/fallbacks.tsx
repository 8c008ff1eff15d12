/** What is shown in place of a page. */
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useLanguage } from "@/i18n";
import { buttonClass } from "@/ui/button";
import { Empty, Failure, Rows } from "@/ui/states";

export function PagePending() {
  return (
    <div className="p-6">
      <Rows />
    </div>
  );
}

export function PageFailure({ error, reset }: ErrorComponentProps) {
  return <Failure error={error} onRetry={reset} />;
}

export function Missing() {
  const { t } = useLanguage();
  return (
    <Empty
      icon={<Compass aria-hidden />}
      title={t("problem.no_page")}
      action={
        <Link to="/" className={buttonClass()}>
          {t("nav.home")}
        </Link>
      }
    >
      {t("problem.no_page_hint")}
    </Empty>
  );
}
