/** The frame of a page: a title with its actions, perhaps tabs, then the content that scrolls. */
import type { ReactNode } from "react";
import { useEffect } from "react";
import { cx } from "@/lib/classes";

interface PageProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  tabs?: ReactNode;
  /** The content brings its own scrolling panes. */
  bare?: boolean;
  wide?: boolean;
  children: ReactNode;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Xin`;
  }, [title]);
}

export function Page({ title, description, actions, tabs, bare, wide, children }: PageProps) {
  useTitle(title);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="shrink-0 border-b bg-panel ps-14 pe-4 sm:px-6 max-sm:min-h-14">
        <div className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-2 py-2">
          <div className="min-w-32 flex-1">
            <h1 className="truncate text-base font-semibold">{title}</h1>
            {description && <p className="text-xs text-ink-faint max-sm:hidden">{description}</p>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </div>
        {tabs}
      </header>
      {bare ? (
        <div className="flex min-h-0 flex-1 flex-col">{children}</div>
      ) : (
        <div
          // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by its focus
          tabIndex={0}
          className="scroll-quiet min-h-0 flex-1 overflow-y-auto focus-visible:outline-none"
        >
          <div className={cx("flex w-full flex-col gap-5 p-4 sm:p-6", wide ? "max-w-7xl" : "max-w-6xl")}>
            {children}
          </div>
        </div>
      )}
    </div>
  );
}

interface CardProps {
  title?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  className?: string;
  bodyClassName?: string;
  children: ReactNode;
}

export function Card({ title, description, actions, className, bodyClassName, children }: CardProps) {
  return (
    <section className={cx("min-w-0 rounded-xl border bg-panel", className)}>
      {(title || actions) && (
        <header className="flex flex-wrap items-center gap-3 border-b px-4 py-3">
          <div className="min-w-36 flex-1">
            <h2 className="text-sm font-semibold">{title}</h2>
            {description && <p className="mt-0.5 text-xs text-ink-faint">{description}</p>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={bodyClassName ?? "p-4"}>{children}</div>
    </section>
  );
}

interface TabsProps<Id extends string> {
  label: string;
  value: Id;
  onChange: (id: Id) => void;
  tabs: readonly { id: Id; label: ReactNode }[];
}

/** Tabs as buttons that are pressed: the panels below are ordinary content. */
export function Tabs<Id extends string>({ label, value, onChange, tabs }: TabsProps<Id>) {
  return (
    <nav aria-label={label} className="scroll-quiet -mb-px flex gap-4 overflow-x-auto">
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          aria-current={tab.id === value ? "page" : undefined}
          onClick={() => onChange(tab.id)}
          className={cx(
            "border-b-2 px-0.5 pb-2 text-sm whitespace-nowrap transition-colors",
            tab.id === value ? "border-accent font-medium text-ink" : "border-transparent text-ink-soft hover:text-ink",
          )}
        >
          {tab.label}
        </button>
      ))}
    </nav>
  );
}

/** Facts as pairs of a name and a value. */
export function Facts({ items }: { items: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1.5 text-sm">
      {items.map(([name, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: facts never change places
        <div key={index} className="contents">
          <dt className="text-ink-faint">{name}</dt>
          <dd className="min-w-0 text-ink">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
