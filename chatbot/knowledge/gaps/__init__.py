"""Gaps: what was asked and not answered, grouped, and how it becomes knowledge."""
