"""From what happened to jobs: events, times and silence are held against the rules, each firing once."""
