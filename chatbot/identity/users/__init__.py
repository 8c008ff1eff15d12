"""People and what they may do in which tenant."""
