"""The data of our buttons: LINE gives it back when one is pressed, without the words that the customer saw."""

import orjson

MAX_DATA = 300


def packed(identity: str, title: str) -> str:
    """Return a button's data: its id with its title, or the id alone where both are more than LINE keeps."""
    both = orjson.dumps({"id": identity, "title": title}).decode()
    return both if len(both) <= MAX_DATA else identity


def unpacked(data: str) -> tuple[str, str]:
    """Return id and title; data that is none of ours is the id."""
    if not data.startswith('{"id":'):
        return data, ""
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data, ""
    identity, title = told.get("id"), told.get("title")
    return (identity, title) if isinstance(identity, str) and isinstance(title, str) else (data, "")
