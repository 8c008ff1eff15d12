"""Turning files of many types into one shape of Markdown, inside a limited child process."""
