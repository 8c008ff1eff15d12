"""Errors of the knowledge API."""

from chatbot.core.errors import Conflict, InvalidInput, NotFound, TooLarge


class SourceNotFound(NotFound):
    """Unknown source, or one of another tenant."""

    code = "source_not_found"
    title = "No such knowledge source"


class JobNotFound(NotFound):
    """Unknown ingestion job, or one of another tenant."""

    code = "ingestion_job_not_found"
    title = "No such ingestion job"


class GapNotFound(NotFound):
    """Unknown gap, or one of another tenant."""

    code = "gap_not_found"
    title = "No such gap"


class PassageNotFound(NotFound):
    """Unknown passage, one of another tenant, or one that does not answer any more."""

    code = "passage_not_found"
    title = "No such passage"


class BrandNotFound(NotFound):
    """Unknown brand, or one of another tenant."""

    code = "brand_not_found"
    title = "No such brand"


class FileTooLarge(TooLarge):
    """The file is above MAX_UPLOAD_BYTES."""

    code = "file_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"file: at most {limit} bytes are accepted (MAX_UPLOAD_BYTES)")


class EmptyFile(InvalidInput):
    """The file holds nothing."""

    code = "empty_file"
    title = "The file is empty"


class JobEnded(Conflict):
    """The job cannot be changed any more."""

    code = "ingestion_job_ended"
    title = "The ingestion job has ended"
