"""Recognising a full disk, wherever it is noticed."""

import errno

from django.utils.translation import gettext as _

FULL = (errno.ENOSPC, errno.EDQUOT)
POSTGRESQL_DISK_FULL = "53100"


def is_disk_full(error: Exception) -> bool:
    """Whether the error says that a disk, a quota or the database has no room left."""
    if isinstance(error, OSError):
        return error.errno in FULL
    state = getattr(error.__cause__, "sqlstate", "")
    return state == POSTGRESQL_DISK_FULL or "disk is full" in str(error)


def full_message() -> str:
    """What to tell the person."""
    return _("The disk of the server is full. Nothing half-done was kept. Free some space, then try again.")
