"""The same as `python -m chatbot.debug.retrieval`, for runbooks that call scripts."""

from chatbot.cli.debug_retrieval import main

if __name__ == "__main__":
    main()
