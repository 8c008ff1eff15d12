"""Canned replies: texts that agents send by a shortcut, with the names of those concerned put in."""
