"""Which fields an object in a request's body may have: told to whoever sends another one."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def fields_at(body: Any, place: Sequence[str | int]) -> list[str]:
    """Return the names that may stand in an object of a body.

    Args:
        body: the body's type.
        place: where a name stands in a body, itself the last.

    Returns:
        Nothing where the place lies in one of several kinds of object: it is not known then which was meant.
    """
    here = _plain(body)
    for part in place[:-1]:
        if isinstance(part, int) and get_origin(here) in (list, tuple):
            here = _plain(get_args(here)[0])
        elif _is_model(here) and part in here.model_fields:
            here = _plain(here.model_fields[part].annotation)
        else:
            return []
    return [field.alias or name for name, field in here.model_fields.items()] if _is_model(here) else []


def _plain(kind: Any) -> Any:
    """A type without what is said about it, and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        others = [each for each in get_args(kind) if each is not NoneType]
        return _plain(others[0]) if len(others) == 1 else kind
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
