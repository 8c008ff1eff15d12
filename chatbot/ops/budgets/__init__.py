"""Budgets of models: how they stand, and who is told when they run out."""
