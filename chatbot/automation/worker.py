"""`python -m chatbot.automation.worker`: a thin door to the automation worker's process."""

from chatbot.apps.automation_worker import main

if __name__ == "__main__":
    main()
