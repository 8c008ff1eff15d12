"""Whose a folder is: what root leaves in the platform's folders its user cannot change any more."""

import os
import pwd
from pathlib import Path


def anothers(folder: Path) -> str | None:
    """Say in words whose a folder is when it is not for this user to write in; None when it is.

    Args:
        folder: may be missing; then the one that it would be made in decides.
    """
    there = folder if folder.exists() else folder.parent
    if not there.exists():
        return None
    owner, user = there.stat().st_uid, os.geteuid()
    if owner == user or (user != 0 and os.access(there, os.W_OK | os.X_OK)):
        return None
    name = next((entry.pw_name for entry in pwd.getpwall() if entry.pw_uid == owner), str(owner))
    return f"{there} belongs to the user {name}; run this as that user, such as `runuser -u {name} -- …`"
