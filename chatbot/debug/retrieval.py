"""`python -m chatbot.debug.retrieval`: what a question finds, as tables; a thin door to the command line."""

from chatbot.cli.debug_retrieval import main

if __name__ == "__main__":
    main()
