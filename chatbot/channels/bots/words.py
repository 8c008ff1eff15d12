"""Why a bot crashed, in words that may be shown."""

import traceback

from chatbot.core.errors import XinError

_MAX_WORDS = 300


def words_of(error: Exception) -> str:
    """Our own errors speak for themselves; of others only the kind and the place, as their text may hold a secret."""
    if isinstance(error, XinError):
        return error.detail[:_MAX_WORDS]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}"
