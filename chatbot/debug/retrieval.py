"""`python -m chatbot.debug.retrieval`: what a question finds, as tables. A thin door to `chatbot.cli.debug_retrieval`."""

from chatbot.cli.debug_retrieval import main

if __name__ == "__main__":
    main()
