/** Buttons: one loud one a view, the rest quiet. */
import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "@/lib/classes";

const VARIANTS = {
  primary: "bg-accent text-accent-ink hover:bg-accent-hover border-transparent",
  secondary: "bg-raised text-ink border-line-strong hover:bg-hover",
  ghost: "bg-transparent text-ink-soft border-transparent hover:bg-hover hover:text-ink",
  danger: "bg-raised text-bad border-line-strong hover:bg-bad-soft hover:border-bad",
} as const;

const SIZES = {
  sm: "h-7 px-2 text-xs gap-1.5",
  md: "h-8 px-3 text-sm gap-2",
  lg: "h-10 px-4 text-sm gap-2",
  icon: "size-8 justify-center",
  iconSm: "size-7 justify-center",
} as const;

export interface ButtonLook {
  variant?: keyof typeof VARIANTS;
  size?: keyof typeof SIZES;
}

export function buttonClass({ variant = "secondary", size = "md" }: ButtonLook = {}, className?: string): string {
  return cx("btn", VARIANTS[variant], SIZES[size], className);
}

interface Props extends ButtonLook, ComponentProps<"button"> {
  busy?: boolean;
  icon?: ReactNode;
}

export function Button({ variant, size, busy, icon, children, className, disabled, type = "button", ...rest }: Props) {
  return (
    <button
      type={type}
      className={buttonClass({ variant, size } as ButtonLook, className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy ? <LoaderCircle className="size-3.5 animate-spin" aria-hidden /> : icon}
      {children}
    </button>
  );
}

interface IconProps extends Omit<Props, "children"> {
  label: string;
  children: ReactNode;
}

/** A button that is only an icon: its label is its name and its tooltip. */
export function IconButton({ label, children, variant = "ghost", size = "icon", ...rest }: IconProps) {
  return (
    <Button variant={variant} size={size} aria-label={label} title={label} {...rest}>
      {children}
    </Button>
  );
}
