/** A table of a list that comes in pages: what stands where there is nothing, the rows, and the way to more. */
import type { ReactNode } from "react";
import type { Pages } from "@/lib/paging";
import { More } from "./more";
import { Loaded } from "./states";
import { Table, type TableProps } from "./table";

interface Props<Row> extends Omit<TableProps<Row>, "rows"> {
  list: Pages<Row>;
  empty: ReactNode;
}

export function PagedTable<Row>({ list, empty, ...table }: Props<Row>) {
  return (
    <>
      <Loaded query={list}>{(rows) => (rows.length === 0 ? empty : <Table rows={rows} {...table} />)}</Loaded>
      <More list={list} />
    </>
  );
}
