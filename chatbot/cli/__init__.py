"""The xin command."""
