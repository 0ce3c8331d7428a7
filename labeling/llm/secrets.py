"""Keys at rest: encrypted with a key derived from SECRET_KEY. Source: docs/decisions/0028."""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

INFO = b"autoannotator.llm.connection-key.v1"
"""Ties the derived key to this one use."""


class UnreadableSecret(Exception):
    """What was sealed cannot be opened with the SECRET_KEY of today, nor with a fallback: it must be entered again."""


def seal(text: str) -> str:
    """The text encrypted and signed, ASCII. Sealing the same text twice gives different tokens."""
    return _fernet().encrypt(text.encode()).decode("ascii")


def unseal(token: str) -> str:
    """The text that was sealed under SECRET_KEY or one of SECRET_KEY_FALLBACKS. Raises UnreadableSecret."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret from None


def reseal(token: str) -> str:
    """The same text under the SECRET_KEY of today. Raises UnreadableSecret."""
    try:
        return _fernet().rotate(token.encode()).decode("ascii")
    except InvalidToken:
        raise UnreadableSecret from None


def _fernet() -> MultiFernet:
    return MultiFernet([_derived(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache(maxsize=8)
def _derived(secret_key: str) -> Fernet:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=INFO)
    return Fernet(urlsafe_b64encode(kdf.derive(secret_key.encode())))
