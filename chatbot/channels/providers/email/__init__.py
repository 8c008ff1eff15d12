"""E-mail: mailboxes over IMAP or a mail service's webhook for what comes in, SMTP for what goes out."""

from chatbot.channels.providers.email.adapter import Email

EMAIL = Email()

__all__ = ["EMAIL"]
