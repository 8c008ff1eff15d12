"""Brands: the faces of a tenant."""
