"""What is wrong with a field is said in words that whoever fills in a form understands."""

import pytest
from pydantic import TypeAdapter, ValidationError

from chatbot.channels.registry import PROVIDERS
from chatbot.core.field_words import field_words

ADDRESS = "must be an address that begins with https:// or http://"


@pytest.mark.parametrize(
    ("channel", "field", "given", "words"),
    [
        ("discord", "application_id", "my app", "must be 1 to 20 digits"),
        ("discord", "public_key", "key", "must be 64 hexadecimal digits"),
        ("whatsapp", "phone_number_id", "+1 555", "must be 1 to 64 letters, digits, - and _"),
        ("line", "api_url", "https://api.line.me/", f"{ADDRESS}, without a query and without a / at its end"),
        ("webhook", "webhook_url", "example.com", ADDRESS),
        ("viber", "sender_avatar", "me.png", ADDRESS),
    ],
)
def test_a_credential_of_another_form_is_told_what_form(channel: str, field: str, given: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(PROVIDERS[channel].credentials).validate_python({field: given})
    found = {problem["loc"]: field_words(problem) for problem in refused.value.errors()}
    assert found[(field,)] == words
