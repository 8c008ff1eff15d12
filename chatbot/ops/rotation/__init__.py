"""Rotation of secrets: what is sealed at rest is sealed anew, keys change places with their successors."""
