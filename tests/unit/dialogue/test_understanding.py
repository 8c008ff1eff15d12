"""Small talk, follow-ups, languages, blocked topics."""

from typing import get_args

import pytest

from chatbot.core.errors import InvalidInput
from chatbot.core.ids import new_id
from chatbot.dialogue.condense import complete, depends
from chatbot.dialogue.decide import mentions
from chatbot.dialogue.history import Said
from chatbot.dialogue.language import question_language
from chatbot.dialogue.live import Place, parse_event_id
from chatbot.dialogue.prompts.phrases import only_in, phrase
from chatbot.dialogue.smalltalk import SmallTalk, small_talk


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi!", ("greeting", "en")),
        ("hello, how are you?", ("greeting", "en")),
        ("سلام، خسته نباشید 🙏", ("greeting", "fa")),
        ("¡Hola! ¿Qué tal?", ("greeting", "es")),
        ("thanks, bye", ("bye", "en")),
        ("ممنونم", ("thanks", "fa")),
        ("muchas gracias", ("thanks", "es")),
        ("hi, how do I reset my password", None),
        ("سلام چطور رمزم را عوض کنم", None),
        ("", None),
        ("OK!", ("ok", "en")),
        ("ok, thanks", ("thanks", "en")),
        ("no", ("ok", "en")),
        ("باشه", ("ok", "fa")),
        ("فهمیدم", ("ok", "fa")),
        ("vale", ("ok", "es")),
        ("de acuerdo", ("ok", "es")),
        ("Who are you?", ("who", "en")),
        ("What's your name?", ("who", "en")),
        ("شما ربات هستید؟", ("who", "fa")),
        ("میتونی کمکم کنی؟", ("who", "fa")),
        ("¿Quién eres?", ("who", "es")),
        ("and?", ("unclear", "en")),
        ("و؟", ("unclear", "fa")),
        ("¿y?", ("unclear", "es")),
        ("?", ("unclear", "en")),
        ("👍🏽", ("ok", "en")),
        ("🙏", ("thanks", "en")),
        ("/exit", ("bye", "en")),
        ("/start from-the-site", ("greeting", "en")),
        ("/help@shop_bot", ("who", "en")),
        ("/whatever", ("unclear", "en")),
        ("/refund policy", None),
        ("help me reset my password", None),
        ("why?", None),
        ("no refund?", None),
    ],
)
def test_small_talk(text: str, found: object) -> None:
    assert small_talk(text) == found


@pytest.mark.parametrize("language", ["fa", "es", "de", "ru"])
def test_what_all_languages_share_is_answered_in_the_conversations(language: str) -> None:
    assert small_talk("ok", language) == ("ok", language)
    assert small_talk("👍", language) == ("ok", language)


@pytest.mark.parametrize("kind", get_args(SmallTalk))
@pytest.mark.parametrize("language", ["en", "fa", "es", "ar", "fr", "de", "pt", "it", "tr", "ru"])
def test_every_kind_of_small_talk_has_its_reply(kind: SmallTalk, language: str) -> None:
    assert phrase(kind, language)
    assert language == "en" or phrase(kind, language) != phrase(kind, "en")


ENGLISH = [Said("visitor", "How do I reset my password on iPhone?", "en"), Said("bot", "Open Settings.", "en")]
PERSIAN = [Said("visitor", "چطور رمز عبورم را در آیفون تغییر دهم؟", "fa")]
SPANISH = [Said("visitor", "¿Cómo cambio mi contraseña en el iPhone?", "es")]


@pytest.mark.parametrize(
    ("question", "language", "history", "expected"),
    [
        ("and on Android?", "en", ENGLISH, True),
        ("Android?", "en", ENGLISH, True),
        ("does it work offline?", "en", ENGLISH, True),
        ("What is the refund policy for annual plans?", "en", ENGLISH, False),
        ("refund policy?", "en", ENGLISH, False),
        ("and on Android?", "en", [], False),
        ("why?", "en", ENGLISH, True),
        ("و در اندروید؟", "fa", PERSIAN, True),
        ("آن چقدر طول می‌کشد؟", "fa", PERSIAN, True),
        ("هزینه ارسال چقدر است؟", "fa", PERSIAN, False),
        ("¿y en Android?", "es", SPANISH, True),
        ("¿Cuánto cuesta el envío?", "es", SPANISH, False),
    ],
)
def test_which_questions_depend(question: str, language: str, history: list[Said], *, expected: bool) -> None:
    assert depends(question, language, history) is expected


def test_a_follow_up_takes_over_what_earlier_questions_were_about() -> None:
    assert {"android", "reset", "password"} <= set(complete("and on Android?", "en", ENGLISH).split())
    assert {"اندروید", "رمز"} <= set(complete("و در اندروید؟", "fa", PERSIAN).split())
    chain = [*ENGLISH, Said("visitor", "and on Android?", "en"), Said("visitor", "thanks", "en")]
    assert "password" in complete("how long does it take?", "en", chain)


@pytest.mark.parametrize(
    ("text", "earlier", "locale", "language"),
    [
        ("How do I pay?", None, None, "en"),
        ("چطور پرداخت کنم", None, "en", "fa"),
        ("¿Cómo pago?", None, None, "es"),
        ("iPhone 15?", "fa", None, "fa"),
        ("iPhone 15?", None, "es-MX", "es"),
    ],
)
def test_language(text: str, earlier: str | None, locale: str | None, language: str) -> None:
    assert question_language(text, earlier=earlier, locale=locale) == language


def test_blocked_topics_are_matched_as_words() -> None:
    assert mentions("Do you sell Weapons here?", ["weapons"])
    assert mentions("قيمت ارز چند است", ["قیمت ارز"])
    assert not mentions("a weaponsmith", ["weapons"])
    assert not mentions("anything", [])


def test_phrases_fall_back() -> None:
    assert phrase("greeting", "fa").startswith("سلام")
    assert phrase("greeting", "xx") == phrase("greeting", "en")
    assert phrase("greeting", "es", {"": "Hey"}) == "Hey"


@pytest.mark.parametrize("language", ["en", "fa", "es", "ar", "fr", "de", "pt", "it", "tr", "ru"])
@pytest.mark.parametrize("source", ["en", "fa", "es", "ar", "fr", "de", "pt", "it", "tr", "ru"])
def test_the_language_of_a_source_is_named(source: str, language: str) -> None:
    said = only_in(source, language)
    assert "{" not in said
    assert len({only_in(other, language) for other in ("en", "fa", "es", source)}) >= 3


def test_a_source_in_a_language_without_a_name_here() -> None:
    assert only_in("en", "es") == "Nuestra documentación solo trata esto en inglés:"
    assert only_in("nl", "es") == "Nuestra documentación solo trata esto en NL:"
    assert only_in("es", "xx") == only_in("es", "en")


def test_event_ids_carry_the_place() -> None:
    message_id = new_id()
    assert parse_event_id(Place(12, 3).event_id(message_id)) == (message_id, Place(12, 3, begun=True))
    assert parse_event_id(f"{message_id}:done") == (message_id, None)
    for wrong in ("", "x", f"{message_id}:x", f"{message_id}:-1.0"):
        with pytest.raises(InvalidInput):
            parse_event_id(wrong)
