"""Plumbing that knows nothing of the product: settings, errors, ids, clock, logging, telemetry, crypto, HTTP."""
