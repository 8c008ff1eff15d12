"""Why a file could not be read: a stable code and a sentence for the person who uploaded it."""

from __future__ import annotations

from enum import StrEnum


class ParseFault(StrEnum):
    """The stable codes of refusal; they are stored on the job and shown beside the sentence."""

    EMPTY_FILE = "empty_file"
    UNSUPPORTED_TYPE = "unsupported_type"
    TYPE_MISMATCH = "type_mismatch"
    TOO_LARGE = "too_large"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MANY_ENTRIES = "too_many_entries"
    INFLATES_TOO_MUCH = "inflates_too_much"
    UNSAFE_ARCHIVE = "unsafe_archive"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    BAD_ENCODING = "bad_encoding"
    NO_TEXT = "no_text"
    SCANNED = "scanned"
    TOO_MUCH_TEXT = "too_much_text"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    NOT_FOUND = "not_found"


_MAY_PASS_LATER = frozenset({ParseFault.TIMEOUT, ParseFault.OUT_OF_MEMORY, ParseFault.CRASHED})


class ParseError(Exception):
    """A file that cannot become a document.

    `code` is stable and for machines, `reason` is one English sentence for people. `retryable` says
    whether the same bytes could succeed on another try (a busy machine), so a job may try again.
    """

    def __init__(self, code: ParseFault, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason

    @property
    def retryable(self) -> bool:
        return self.code in _MAY_PASS_LATER
