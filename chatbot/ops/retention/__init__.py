"""Retention: what is removed by its age, for each tenant and kind."""
