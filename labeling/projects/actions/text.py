"""Names as people type them, made fit to be shown and compared."""

from django.utils.translation import gettext as _

from labeling.web.errors import ActionError

# Direction marks that turn the rest of a line around, and so can make a name look like another one.
_TURNING = set(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def clean_name(text: str, *, limit: int, field: str = "name") -> str:
    """`text` on one line with single spaces. Raises ActionError when it is empty, too long or has invisible signs."""
    name = " ".join(text.split())
    if not name:
        raise ActionError(_("Give it a name."), field=field)
    if len(name) > limit:
        raise ActionError(_("This name is longer than %(limit)d characters.") % {"limit": limit}, field=field)
    check_signs(name, field=field)
    return name


def check_signs(text: str, *, field: str) -> None:
    """Raises ActionError on control and direction signs, which databases refuse or which mislead the reader."""
    if any((ord(sign) < 32 and sign not in "\t\n\r") or sign == "\x7f" or sign in _TURNING for sign in text):
        raise ActionError(_("This has invisible control characters in it. Type it anew."), field=field)
