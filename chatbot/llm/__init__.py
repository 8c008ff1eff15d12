"""Language models: chat and embedding clients, breaker, fallback, budgets, usage."""
