"""Automation: rules that act on events, on a schedule or on silence; jobs that run them once; trials without effect."""
