/** Starts the console. */
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "./api/problem";
import { sessionState } from "./auth/session";
import { LanguageProvider } from "./i18n";
import { forgetAll } from "./lib/forget";
import { watchTheme } from "./lib/theme";
import { router } from "./router";
import "./styles.css";

const TRIES = 2;

/** What was refused stays refused: only a network or a server in trouble is asked again. */
function worthAnotherTry(failures: number, error: unknown): boolean {
  const { status } = asProblem(error);
  return failures < TRIES && (status === 0 || status >= 500);
}

const queries = new QueryClient({
  defaultOptions: { queries: { retry: worthAnotherTry, staleTime: 5_000, refetchOnWindowFocus: true } },
});

// Nothing that one person read is left for the next one.
sessionState.subscribe(() => {
  if (sessionState.get().status !== "out") return;
  queries.clear();
  forgetAll();
});

watchTheme();

const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <LanguageProvider>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </LanguageProvider>
    </CSPProvider>
  </StrictMode>,
);
