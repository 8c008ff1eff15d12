/** Reads the next page of a list. */
import { useLanguage } from "@/i18n";
import { Button } from "./button";

interface Props {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}

export function More({ list }: Props) {
  const { t } = useLanguage();
  if (!list.hasNextPage) return null;
  return (
    <div className="flex justify-center p-3">
      <Button busy={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
        {t("action.more")}
      </Button>
    </div>
  );
}
