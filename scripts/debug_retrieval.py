#!/usr/bin/env python3
"""The same as `python -m chatbot.debug.retrieval`, for runbooks that call scripts."""

import own_python  # isort: skip  # noqa: F401

from chatbot.cli.debug_retrieval import main

if __name__ == "__main__":
    main()
