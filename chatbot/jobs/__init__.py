"""The durable queue: enqueue in the caller's transaction, run a worker, rescue stalled jobs."""
