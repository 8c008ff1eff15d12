/** One live feed for the tenant on the screen, for whoever wants to listen. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import { LiveFeed, type LiveListener, type LiveStatus } from "@/api/live";
import { session } from "@/auth/session";
import { createStore, useStore } from "@/lib/store";

const FeedContext = createContext<LiveFeed | null>(null);
const NO_FEED = createStore<LiveStatus>("connecting");

export function LiveProvider({ tenantId, children }: { tenantId: string; children: ReactNode }) {
  const feed = useMemo(() => new LiveFeed(tenantId), [tenantId]);
  useEffect(() => {
    void feed.run();
    return () => feed.close();
  }, [feed]);
  const refused = useStore(feed.status) === "refused";
  useEffect(() => {
    if (refused) void session.recheck();
  }, [refused]);
  return <FeedContext value={feed}>{children}</FeedContext>;
}

export function useLive(listener: LiveListener): void {
  const feed = useContext(FeedContext);
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => feed?.listen((event) => latest.current(event)), [feed]);
}

export function useLiveStatus(): LiveStatus {
  return useStore(useContext(FeedContext)?.status ?? NO_FEED);
}
