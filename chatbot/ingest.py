"""`python -m chatbot.ingest`: the door to `chatbot.cli.ingest`."""

from chatbot.cli.ingest import main

if __name__ == "__main__":
    main()
