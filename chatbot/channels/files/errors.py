"""Why a file is not taken."""

from chatbot.core.errors import Forbidden, UnsupportedType


class FileTypeRefused(UnsupportedType):
    """A file of a type that is not taken, or whose content is not what its name says."""

    code = "file_type_refused"
    title = "Files of this type are not accepted"


class UploadsOff(Forbidden):
    """The tenant takes no files from visitors."""

    code = "uploads_off"
    title = "Files are not accepted here"
