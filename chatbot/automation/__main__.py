"""`python -m chatbot.automation`: a thin door to the command line of rules and jobs."""

from chatbot.cli.automation import main

if __name__ == "__main__":
    main()
