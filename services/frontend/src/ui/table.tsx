/** A table that becomes a list of cards where there is no width for columns. */
import type { MouseEvent, ReactNode } from "react";
import { cx } from "@/lib/classes";

export interface Column<Row> {
  id: string;
  label: string;
  render: (row: Row) => ReactNode;
  className?: string;
  /** Hidden on a phone. */
  wide?: boolean;
}

interface RowLinkProps {
  /** Within the console, such as `/t/…/knowledge/…`. */
  to: string;
  children: ReactNode;
}

/** The row's own link: the row opens it in place, and a click with a modifier still opens a tab. */
export function RowLink({ to, children }: RowLinkProps) {
  const keepPlain = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation();
    else event.preventDefault();
  };
  return (
    <a className="block truncate font-medium" href={`/console${to}`} onClick={keepPlain}>
      {children}
    </a>
  );
}

/** The same for a row that opens in place and has no address. */
export function RowButton({ children }: { children: ReactNode }) {
  return (
    <button type="button" className="max-w-full truncate text-start font-medium">
      {children}
    </button>
  );
}

export interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  onOpen?: (row: Row) => void;
}

export function Table<Row>({ label, columns, rows, rowKey, onOpen }: TableProps<Row>) {
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse text-start text-sm">
        <thead>
          <tr className="border-b text-xs text-ink-faint">
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                className={cx(
                  "px-4 py-2 text-start font-medium whitespace-nowrap",
                  column.wide && "max-md:hidden",
                  column.className,
                )}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className={cx("border-b last:border-b-0", onOpen && "cursor-pointer hover:bg-hover")}
              onClick={() => onOpen?.(row)}
            >
              {columns.map((column) => (
                <td
                  key={column.id}
                  className={cx("px-4 py-2.5 align-middle", column.wide && "max-md:hidden", column.className)}
                >
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
