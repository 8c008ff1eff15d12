"""`python -m chatbot` is the `xin` command."""

from chatbot.cli.main import main

main()
