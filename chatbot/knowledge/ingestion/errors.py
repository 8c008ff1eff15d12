"""Why ingestion stops: faults of the content or the surroundings, and work that is not ours any more."""

TRIES = 3
PATIENT_TRIES = 10


class IngestionFault(Exception):
    """The source cannot be read, now or ever.

    Args:
        code: stable, for programs.
        reason: one English sentence, for people.
        tries: after so many without progress the job fails; 1 for what no further try can mend.
    """

    def __init__(self, code: str, reason: str, *, tries: int = TRIES) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.tries = tries


class Superseded(Exception):
    """The job was cancelled, removed, or is worked on by a later task: whatever is in hand is to be dropped."""
