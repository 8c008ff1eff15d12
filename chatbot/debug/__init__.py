"""Operators' diagnostic commands: `python -m chatbot.debug.<name>`."""
