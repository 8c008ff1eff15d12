"""Our own lints: the house rules that a machine can check. Run with `python -m scripts.house`."""
