"""`python -m chatbot.cli`: talk to a bot in the terminal."""

from chatbot.cli.chat import main

if __name__ == "__main__":
    main()
