"""Policies of a tenant: how its bot behaves and how it searches, in saved versions."""
