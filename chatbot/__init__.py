"""Xin: a multi-tenant support-chat platform that a company runs itself."""

__version__ = "0.1.0"
