"""Jobs of rules: listed, tried again, cancelled."""
