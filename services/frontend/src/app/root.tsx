/** Around every page: notices, and the way to the sign-in when the session has ended. */
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { sessionState } from "@/auth/session";
import { Toasts } from "@/ui/toast";

export function RootView() {
  const navigate = useNavigate();
  useEffect(
    () =>
      sessionState.subscribe(() => {
        const inside = !/\/(signin|invitation|reset)$/.test(location.pathname);
        if (sessionState.get().status === "out" && inside) {
          void navigate({
            to: "/signin",
            search: { next: location.pathname.replace(/^\/console/, "") + location.search },
          });
        }
      }),
    [navigate],
  );
  return (
    <>
      <Outlet />
      <Toasts />
    </>
  );
}
