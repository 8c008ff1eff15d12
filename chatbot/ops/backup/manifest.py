"""What a backup says of itself. It is the last thing written into one, so a broken backup has none."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.dump"
SECRETS = "secrets.json"
FILES = "files/"
VECTORS = "qdrant/"


class Member(BaseModel):
    """A file of the backup: its length in bytes and its SHA-256."""

    model_config = ConfigDict(extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """The moment that a backup holds.

    `tables`: rows of each table; `functions`: those that run as the platform role; `key_id`: which encryption key
    seals its secrets; `missing`: files that rows name and that were gone when they were to be copied.
    """

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    version: str
    created_at: datetime
    revision: str
    server: str
    key_id: str
    tables: dict[str, int]
    functions: list[str]
    missing: list[str]
    members: dict[str, Member]

    @property
    def rows(self) -> int:
        """Return how many rows it holds in all."""
        return sum(self.tables.values())

    def under(self, folder: str) -> list[str]:
        """Return the names of the files below a folder of the backup."""
        return [name for name in self.members if name.startswith(folder)]
