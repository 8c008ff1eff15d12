/** Lists that come in pages by a cursor. */
import { type InfiniteData, type QueryKey, useInfiniteQuery } from "@tanstack/react-query";

export interface PageOf<Item> {
  items: readonly Item[];
  next_cursor?: string | null;
}

export interface Pages<Item> {
  data: readonly Item[] | undefined;
  error: Error | null;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Options<Item> {
  /** Milliseconds until it is read anew, perhaps by what it holds. */
  every?: number | ((items: readonly Item[]) => number);
}

/** Every item of a list that is short enough to be read whole: the people of a tenant. */
export async function readAll<Item>(read: (cursor: string | undefined) => Promise<PageOf<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** Items of all pages read so far, and how to read on. */
export function usePages<Item>(
  key: QueryKey,
  read: (cursor: string | undefined) => Promise<PageOf<Item>>,
  options: Options<Item> = {},
): Pages<Item> {
  const query = useInfiniteQuery<PageOf<Item>, Error, InfiniteData<PageOf<Item>>, QueryKey, string | undefined>({
    queryKey: key,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) => {
      const { every } = options;
      return typeof every === "function"
        ? every(query.state.data?.pages.flatMap((page) => page.items) ?? [])
        : (every ?? false);
    },
  });
  const { error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  return {
    data: query.data?.pages.flatMap((page) => page.items),
    error,
    refetch,
    hasNextPage,
    isFetchingNextPage,
    fetchNextPage,
  };
}
