/** The tab that the address names, so that a link can lead to it; the first one where it names none. */
import { useNavigate, useSearch } from "@tanstack/react-router";

export function useTab<Id extends string>(ids: readonly [Id, ...Id[]]): [Id, (id: Id) => void] {
  const navigate = useNavigate();
  const named = useSearch({ strict: false, select: (search) => search.tab });
  const choose = (tab: Id) => void navigate({ to: ".", search: (before) => ({ ...before, tab }), replace: true });
  return [ids.find((id) => id === named) ?? ids[0], choose];
}
