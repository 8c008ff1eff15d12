"""The frames of live web chat: every one is documented by an example that is read as that frame."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter

from chatbot.channels.live import chat, errors, protocol, rooms
from chatbot.channels.live import socket as live_socket
from chatbot.core.errors import XinError
from chatbot.identity.access.origins import OriginNotAllowed

PAGE = (Path(__file__).parents[2] / "docs/WEBSOCKET.md").read_text()
CLIENT, SERVER = PAGE.split("## From the server")


def _types(union: Any) -> set[str]:
    frames: tuple[type[BaseModel], ...] = get_args(get_args(union)[0])
    return {get_args(frame.model_fields["type"].annotation)[0] for frame in frames}


def _examples(text: str) -> list[dict[str, Any]]:
    blocks = re.findall(r"```json\n(.+?)```", text, flags=re.DOTALL)
    whole = "\n".join(re.sub(r"\b(0199|8f1d)[0-9a-f-]*…", "0199c7a2-0000-7000-8000-000000000001", b) for b in blocks)
    found, decoder = [], json.JSONDecoder()
    while whole := whole.strip():
        example, end = decoder.raw_decode(whole)
        found.append(example)
        whole = whole[end:]
    return found


@pytest.mark.parametrize(("text", "union"), [(CLIENT, protocol.ClientFrame), (SERVER, protocol.ServerFrame)])
def test_every_frame_is_documented_by_an_example(text: str, union: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(union)
    examples = _examples(text)
    assert {example["type"] for example in examples} == _types(union)
    for example in examples:
        frame = adapter.validate_python(example)
        assert set(example) <= set(type(frame).model_fields)


def test_the_examples_of_a_server_frame_name_every_field() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(protocol.ServerFrame)
    named: dict[type[BaseModel], set[str]] = {}
    for example in _examples(SERVER):
        named.setdefault(type(adapter.validate_python(example)), set()).update(example)
    for frame, fields in named.items():
        assert fields == set(frame.model_fields)


def test_close_codes_and_limits_are_documented() -> None:
    documented = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for code in row.split(",")}
    own: list[type[XinError]] = [errors.HelloMissing, errors.SlowReader, OriginNotAllowed]
    assert {errors.close_code(kind()) for kind in own} | {errors.SHUTDOWN, errors.TRY_AGAIN} <= documented
    assert f"({chat.FRAMES_PER_MINUTE} a minute)" in PAGE
    assert f"{live_socket.MAX_UNREAD // 1024} KB wait" in PAGE
    assert f"within {chat.HELLO_SECONDS:.0f} seconds" in PAGE
    assert f"after {chat.GRACE_SECONDS:.0f} seconds at the latest" in PAGE
    assert f"goes on for {rooms.RESUME_SECONDS:.0f} seconds" in PAGE
