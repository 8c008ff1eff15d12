"""Rules: what starts one, when it applies, what it does, how often at most."""
