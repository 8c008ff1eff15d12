/** How one may sign in here. */
import { api, call } from "@/api/client";

export function providersQuery() {
  return {
    queryKey: ["providers"],
    queryFn: () => call(api.GET("/auth/providers")),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  };
}
