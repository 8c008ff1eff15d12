"""Every text that Xin itself says: to models (instructions) and to visitors (phrases)."""
