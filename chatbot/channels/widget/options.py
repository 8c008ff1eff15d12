"""What an administrator chooses for the widget of a web channel: stored in the channel's configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from chatbot.channels.inbox.file_type import BY_EXTENSION
from chatbot.core.logging import get_logger
from chatbot.core.schemas import Like, PictureAddress
from chatbot.identity.policies.schemas import ByLanguage, Document, Language, Text200

log = get_logger(__name__)

CONFIGURED = "widget"
"""The name of these options in a channel's configuration."""

MAX_FILE_BYTES = 50 * 1024 * 1024
_RESERVED = {"id", "subject"}
"""What a conversation keeps of its visitor under these names is not the visitor's to say."""


def _verifiable(extension: str) -> str:
    if extension not in BY_EXTENSION:
        raise ValueError(f"must be a type whose content can be checked: {', '.join(sorted(BY_EXTENSION))}")
    return extension


def _free(name: str) -> str:
    if name in _RESERVED:
        raise ValueError("is a name that is taken")
    return name


Extension = Annotated[str, StringConstraints(max_length=10, to_lower=True), AfterValidator(_verifiable)]
FieldName = Annotated[
    str, Like(r"^[a-z][a-z0-9_]{0,39}$", "1 to 40 of a-z, 0-9 and _, a letter first"), AfterValidator(_free)
]
QuickReplies = Annotated[tuple[Text200, ...], Field(max_length=10)]
PictureUrl = Annotated[str, StringConstraints(max_length=2000), PictureAddress]


class Features(Document):
    """What the widget offers to visitors."""

    uploads: bool = True
    handoff: bool = True
    csat: bool = True
    transcript: bool = True
    sound: bool = True


class UploadRules(Document):
    """Which files a visitor may send; content and extension must agree."""

    max_bytes: Annotated[int, Field(ge=1024, le=MAX_FILE_BYTES)] = 10 * 1024 * 1024
    types: Annotated[tuple[Extension, ...], Field(max_length=50)] = (
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".txt", ".csv", ".docx", ".xlsx", ".pptx",
    )  # fmt: skip


class PreChatField(Document):
    """A question before the chat; `options` are the answers of a `select`."""

    name: FieldName
    type: Literal["text", "email", "tel", "select"] = "text"
    label: ByLanguage = Field(default_factory=dict)
    required: bool = False
    options: Annotated[tuple[Text200, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _has_answers(self) -> Self:
        if self.type == "select" and not self.options:
            raise ValueError("a question with a choice needs options")
        return self


class PreChat(Document):
    """Whether something is asked before the chat, and what."""

    enabled: bool = False
    fields: Annotated[tuple[PreChatField, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({field.name for field in self.fields}) < len(self.fields):
            raise ValueError("each question needs a name of its own")
        return self


class WidgetOptions(Document):
    """The widget of a web channel; what is left out has these values.

    Attributes:
        locales: languages that the widget speaks; empty: those of the tenant's policy, or all it has.
        default_locale: for pages that name none; null: the policy's.
        quick_replies: offered in an empty chat, by language.
    """

    scheme: Literal["light", "dark", "auto"] = "auto"
    launcher_label: ByLanguage = Field(default_factory=dict)
    avatar_url: PictureUrl | None = None
    locales: Annotated[tuple[Language, ...], Field(max_length=50)] = ()
    default_locale: Language | None = None
    features: Features = Features()
    uploads: UploadRules = UploadRules()
    pre_chat: PreChat = PreChat()
    quick_replies: dict[Language, QuickReplies] = Field(default_factory=dict)


def options_of(configuration: Mapping[str, Any]) -> WidgetOptions:
    """Read the options of a channel; what a newer release does not accept any more has its default again."""
    try:
        return WidgetOptions.model_validate(configuration.get(CONFIGURED) or {})
    except ValidationError as error:
        log.warning("a channel's widget has options that are not accepted any more", problems=error.error_count())
        return WidgetOptions()


def changed(configuration: Mapping[str, Any], wanted: WidgetOptions) -> dict[str, Any]:
    """Return what is stored after a change: each option that was given takes the place of what was there."""
    given = wanted.model_dump(mode="json", exclude_unset=True)
    return {**(configuration.get(CONFIGURED) or {}), **given}
