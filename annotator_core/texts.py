"""What identifies a text and which texts cannot be voted on. Standard library only."""

import hashlib

from annotator_core.errors import BadInput


def hash_text(text: str) -> str:
    """Return the identity of a text: 32 hex characters, blake2b-128 of its exact UTF-8 bytes.

    Texts are equal only if every character is: no trimming, no normalising.
    Raises BadInput for a lone surrogate, which has no UTF-8 form.
    """
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput(f"The text holds a lone surrogate at character {error.start + 1}: it is not Unicode.") from error
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def find_flaw(text: object) -> str | None:
    """Return why no specialist can vote on this text, for a person to read; None when it is fine."""
    if not isinstance(text, str):
        return "The text is missing."
    if not text.strip():
        return "The text is empty."
    if not text.isascii() and _has_surrogate(text):
        return "The text holds a lone surrogate: it is not Unicode."
    return None


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
