"""Transcripts: what was said in a conversation, whole, for people and programs, as JSON, text or CSV, or by mail."""
