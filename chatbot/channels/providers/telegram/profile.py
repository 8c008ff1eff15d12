"""In what Telegram and Bale differ."""

from dataclasses import dataclass

from chatbot.channels.markup import HTML, Style

UPDATES = (
    "message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "message_reaction",
    "my_chat_member", "business_message", "edited_business_message", "deleted_business_messages",
)  # fmt: skip
"""The kinds of updates that are asked for by name: reactions come only so."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A dialect of the Bot API.

    Attributes:
        secret_header: in lower case, in which the provider sends our secret; None: the secret stands in the path.
        parse_mode: what the provider calls our marks; None: it has marks of its own and no name for them.
        caption: most UTF-16 units below a file.
        buttons: most under one message.
        updates: kinds to ask for by name; empty: the provider cannot be asked.
        drafts: a private chat can show a reply while it is written, without a message.
        executes_answers: a method named in the answer to a webhook is executed.
        quotes_by_object: a quoted message is named by `reply_parameters`, else by `reply_to_message_id`.
    """

    name: str
    style: Style
    secret_header: str | None
    parse_mode: str | None
    caption: int
    buttons: int
    updates: tuple[str, ...]
    drafts: bool
    executes_answers: bool
    quotes_by_object: bool


TELEGRAM_PROFILE = Profile(
    "Telegram", HTML, "x-telegram-bot-api-secret-token", "HTML", caption=1024, buttons=100, updates=UPDATES,
    drafts=True, executes_answers=True, quotes_by_object=True,
)  # fmt: skip


def _bale_link(text: str, url: str) -> str:
    return f"[{text.replace(']', ')')}]({url.replace(')', '%29')})"


BALE_PROFILE = Profile(
    "Bale", Style(bold=("*", "*"), italic=("_", "_"), link=_bale_link), None, None, caption=200, buttons=20,
    updates=(), drafts=False, executes_answers=False, quotes_by_object=False,
)  # fmt: skip
