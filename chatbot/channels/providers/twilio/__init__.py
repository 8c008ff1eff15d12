"""SMS by Twilio, and what Twilio carries beside it (MMS, WhatsApp)."""

from chatbot.channels.providers.twilio.adapter import Twilio
from chatbot.channels.providers.twilio.credentials import TwilioCredentials

SMS = Twilio()

__all__ = ["SMS", "Twilio", "TwilioCredentials"]
