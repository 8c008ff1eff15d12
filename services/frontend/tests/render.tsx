/** Renders within a language and a query client, as the console does. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { LanguageFor, makeLanguage } from "@/i18n";
import type { Catalogue } from "@/i18n/catalogue";
import en from "@/locales/en.json";
import fa from "@/locales/fa.json";

const CATALOGUES = { en, fa } as const satisfies Record<string, Catalogue>;

export const english = makeLanguage("en", en);

export function renderIn(children: ReactNode, locale: keyof typeof CATALOGUES = "en") {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={queries}>
      <LanguageFor language={makeLanguage(locale, CATALOGUES[locale])}>{children}</LanguageFor>
    </QueryClientProvider>,
  );
}
