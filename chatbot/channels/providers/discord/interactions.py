"""Slash commands, buttons and menus: interactions, which want an answer within three seconds."""

from typing import Any

from chatbot.channels.events import Choice, InboundEvent, Message, Unsupported
from chatbot.channels.providers.discord.messages import Me, said, sender_of
from chatbot.channels.providers.discord.place import made_at, place_of
from chatbot.channels.reading import at_unix, number, part, parts, word, words

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
DEFERRED_MESSAGE, DEFERRED_UPDATE, CHOICES = 5, 6, 8

_NAMES = {AUTOCOMPLETE: "autocomplete", MODAL: "modal_submit"}
_ANSWERS = {COMMAND: DEFERRED_MESSAGE, COMPONENT: DEFERRED_UPDATE, AUTOCOMPLETE: CHOICES, MODAL: DEFERRED_UPDATE}
_MAX_NESTED = 4


def interaction_event(body: dict[str, Any], me: Me) -> InboundEvent:
    """Return an interaction as an event; `context` holds the token that it is answered with for 15 minutes."""
    kind, interaction = number(body, "type"), word(body, "id")
    member = part(body, "member")
    sender = sender_of(part(member, "user") or part(body, "user"), member)
    place, made = place_of(body), made_at(interaction)
    context = {"channel": place.channel, "token": word(body, "token"), "answer": _ANSWERS.get(kind or 0)}
    content = _content(kind, body, me)
    return InboundEvent(
        id=f"interaction:{interaction}"[:200],
        thread=place.thread(sender.id if sender else ""),
        content=content,
        sender=sender,
        message_id=interaction or None,
        at=at_unix(str(made)) if made is not None else None,
        context={name: value for name, value in context.items() if value},
        raw=body if isinstance(content, Unsupported) else {},
    )


def _content(kind: int | None, body: dict[str, Any], me: Me) -> Message | Unsupported:
    data = part(body, "data")
    if kind == COMMAND:
        return Message(text=_arguments(data, me), command=word(data, "name") or None)
    if kind == COMPONENT:
        choice = _choice(data, part(body, "message"))
        return Message(text=choice.title, choice=choice, in_reply_to=word(part(body, "message"), "id") or None)
    return Unsupported(_NAMES.get(kind or 0, f"interaction_{kind}"))


def _arguments(data: dict[str, Any], me: Me) -> str:
    """The options' values, in order; of a command on a message, the message."""
    target = part(part(part(data, "resolved"), "messages"), word(data, "target_id"))
    return said(target, me).text if target else " ".join(_values(data, _MAX_NESTED))


def _values(options: dict[str, Any], depth: int) -> list[str]:
    found = []
    for option in parts(options, "options") if depth else []:
        value = word(option, "value")
        found += [value] if value else _values(option, depth - 1)
    return found


def _choice(data: dict[str, Any], message: dict[str, Any]) -> Choice:
    """A button's id with its label, or the chosen rows of a menu with theirs."""
    custom_id, chosen = word(data, "custom_id"), words(data, "values")
    component = _component(parts(message, "components"), custom_id, _MAX_NESTED)
    if not chosen:
        return Choice(custom_id or "chosen", word(component, "label"))
    labels = {word(one, "value"): word(one, "label") for one in parts(component, "options")}
    return Choice(",".join(chosen), ", ".join(labels[one] for one in chosen if labels.get(one)))


def _component(components: list[dict[str, Any]], custom_id: str, depth: int) -> dict[str, Any]:
    for one in components if depth else []:
        if word(one, "custom_id") == custom_id:
            return one
        if found := _component(parts(one, "components"), custom_id, depth - 1):
            return found
    return {}


def answer_to(event: InboundEvent) -> dict[str, Any] | None:
    """Return what an interaction is answered with at once, the message itself coming later; None for other events."""
    kind = event.context.get("answer")
    if kind == CHOICES:
        return {"type": CHOICES, "data": {"choices": []}}
    return {"type": kind} if kind else None
