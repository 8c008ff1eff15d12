"""In which language a question is asked, and so is to be answered."""

from chatbot.knowledge.analysis.languages import detect_language

NAMES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""Languages a model is told by name; any other by its code."""


def question_language(text: str, *, earlier: str | None, locale: str | None) -> str:
    """The two-letter language of a question.

    A text that says nothing (`iPhone 15?`) is taken to be in the language of the visitor's last message, else in
    that of the page (`locale`), else English.
    """
    default = earlier or (locale or "").replace("_", "-").split("-")[0].lower() or "en"
    return detect_language(text, default=default)
