"""Xin: a multi-tenant support-chat platform that a company runs itself."""
