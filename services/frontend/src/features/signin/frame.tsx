/** The quiet page around everything before the sign-in. */
import { Globe } from "lucide-react";
import type { ReactNode } from "react";
import { Appearance } from "@/app/appearance";
import { useLanguage } from "@/i18n";
import { Button } from "@/ui/button";
import { Menu } from "@/ui/menu";
import { useTitle } from "@/ui/page";

export function Frame({ title, children }: { title: string; children: ReactNode }) {
  const { format, locale } = useLanguage();
  useTitle(title);
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 p-4">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center gap-3">
          <img src="/console/icon.svg" alt="" width={40} height={40} />
          <h1 className="text-lg font-semibold">{title}</h1>
        </div>
        <div className="rounded-xl border bg-panel p-6 shadow-sm">{children}</div>
      </div>
      <Menu
        side="top"
        align="start"
        trigger={
          <Button variant="ghost" size="sm" icon={<Globe className="size-3.5" aria-hidden />}>
            {format.language(locale)}
          </Button>
        }
      >
        <Appearance />
      </Menu>
    </main>
  );
}
