/** A menu below its button. */
import { Menu as Base } from "@base-ui/react/menu";
import { Check } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { cx } from "@/lib/classes";

const ITEM =
  "flex min-h-8 items-center gap-2 rounded-md px-2 text-sm text-ink outline-none data-highlighted:bg-hover data-disabled:opacity-50 pointer-coarse:min-h-10";

interface MenuProps {
  trigger: ReactElement;
  align?: "start" | "end";
  side?: "top" | "bottom";
  className?: string;
  children: ReactNode;
}

export function Menu({ trigger, align = "end", side = "bottom", className, children }: MenuProps) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} side={side} sideOffset={4} className="z-50 outline-none">
          <Base.Popup
            className={cx(
              "scroll-quiet max-h-[min(24rem,var(--available-height))] min-w-48 overflow-y-auto rounded-lg border bg-raised p-1 shadow-float outline-none",
              className,
            )}
          >
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface ItemProps {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean | undefined;
  checked?: boolean | undefined;
  onSelect?: (() => void) | undefined;
  children: ReactNode;
}

export function MenuItem({ icon, danger, disabled, checked, onSelect, children }: ItemProps) {
  return (
    <Base.Item className={cx(ITEM, danger && "text-bad")} disabled={disabled} onClick={onSelect}>
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {checked && <Check className="size-4 text-accent-text" aria-hidden />}
    </Base.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <div className="px-2 pt-2 pb-1 text-2xs font-medium text-ink-faint">{children}</div>;
}

export function MenuLine() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}
