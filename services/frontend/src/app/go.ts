/** Goes to an address that is only known when the program runs, perhaps to a tab of it, keeping the brand. */
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";

export function useGo(): (to: string, tab?: string) => void {
  const navigate = useNavigate();
  return useCallback(
    (to, tab) => {
      void navigate({ to, search: ({ brand }) => ({ ...(brand && { brand }), ...(tab && { tab }) }) });
    },
    [navigate],
  );
}
