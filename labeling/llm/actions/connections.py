"""Connections: add, change, retire, and what became of them. A key goes in and is never handed out again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.errors import AddressRefused
from annotator_core.verifiers.pace import Breaks
from labeling.accounts.models import User
from labeling.llm.actions.prices import Tariff, set_price
from labeling.llm.models import Connection
from labeling.llm.secrets import UnreadableSecret, reseal, seal
from labeling.projects.models import Project
from labeling.web.errors import ActionError

ENDPOINT = "/chat/completions"
"""What people paste from a provider's examples; the engine adds it itself."""
MOST_KEY = 1_000  # chosen: far longer than any provider's
MOST_TIMEOUT_S, MOST_CONCURRENCY = 600, 64
MOST_RESERVE = 1_000
"""Percent of a call's worst case that are set aside at most; chosen: a server that counts once beyond all reason does
not stop everything that is asked of it."""
ANSWERS = {"error": "", "error_at": None, "breaks": 0, "silent_breaks": 0, "quiet_until": None}
"""Of a connection whose endpoint answers."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a manager says about a connection. timeout_s: of one request. requests_per_minute: None for no limit."""

    name: str
    base_url: str
    model: str
    timeout_s: float = 60
    concurrency: int = 8
    requests_per_minute: int | None = None


def add_connection(*, project: Project, given: Given, key: str, tariff: Tariff, by: User | None) -> Connection:
    """A new connection with its first price, from today on. Raises ActionError naming the field that is wrong."""
    given = _checked(given)
    with transaction.atomic():
        connection = Connection(project=project, encrypted_key=_sealed(key), created_by=by)
        _write(connection, given)
        set_price(connection=connection, tariff=tariff, valid_from=timezone.localdate(), by=by)
    return connection


def change_connection(*, connection: Connection, given: Given, key: str = "", is_key_removed: bool = False) -> None:
    """Change what was given; an empty key keeps the one that is there. Raises ActionError.

    A kept key is only ever sent to the address that it was entered for: another address asks for it again. What the
    last test found holds for the same address, model and key only.
    """
    given = _checked(given)
    with transaction.atomic():
        # As it is now: somebody may have retired it, which must stay, or changed its key.
        connection.refresh_from_db(from_queryset=Connection.objects.select_for_update())
        if connection.is_retired:
            raise ActionError(_("This connection is retired. Add a new one."))
        _take_over(connection, given, key, is_key_removed=is_key_removed)
        _write(connection, given)


def _take_over(connection: Connection, given: Given, key: str, *, is_key_removed: bool) -> None:
    """Keep or change the key, and forget what was found out of another endpoint."""
    is_elsewhere = _place(given.base_url) != _place(connection.base_url)
    if is_elsewhere and connection.has_key and not (key or is_key_removed):
        text = _("The address changed. Enter the key again: it is only sent to the address that it was entered for.")
        raise ActionError(text, field="key")
    if key or is_key_removed:
        connection.encrypted_key = _sealed(key)
    if key or is_key_removed or (given.base_url, given.model) != (connection.base_url, connection.model):
        connection.capability, connection.tested_at = {}, None
        for name, value in ANSWERS.items():
            setattr(connection, name, value)
        connection.reserve_percent = 100


def retire_connection(*, connection: Connection) -> None:
    """Use it no more and forget its key; what it answered stays."""
    Connection.objects.filter(pk=connection.pk).update(is_retired=True, encrypted_key="")


def record_test(*, connection: Connection, capability: Mapping[str, object]) -> None:
    """The connection works: what it can do (engine: verifiers.capability), and no error any more.

    Nothing is kept where it was changed to another endpoint while the test was on its way.
    """
    same = Connection.objects.filter(pk=connection.pk, base_url=connection.base_url, model=connection.model)
    same.update(capability=dict(capability), tested_at=timezone.now(), **ANSWERS)


def note_error(*, connection: Connection, error: str) -> None:
    """Why it was refused last, in words for a person; nothing of an answer's body stands in them."""
    Connection.objects.filter(pk=connection.pk).update(error=error, error_at=timezone.now())


def forget_error(*, connection: Connection) -> None:
    """It was asked and answered: what refused it last is mended."""
    Connection.objects.filter(pk=connection.pk).exclude(error="").update(error="", error_at=None)


def remember_breaks(*, connection: Connection, before: Breaks, after: Breaks) -> None:
    """Keep how often it was left alone in a row, for all that ask it; nothing of it is left once it has answered.

    Parts of some work that leave it at the same time count once.
    """
    mine = Connection.objects.filter(pk=connection.pk)
    if not after.count:
        mine.update(**ANSWERS)
        return
    until = timezone.now() + timedelta(seconds=after.pause_s) if after.pause_s else None
    mine.filter(breaks=before.count).update(breaks=after.count, silent_breaks=after.silent, quiet_until=until)


def raise_reserve(*, connection: Connection, percent: int) -> None:
    """Set so many percent of a call's worst case aside from now on, never fewer than before."""
    connection.reserve_percent = max(connection.reserve_percent, min(percent, MOST_RESERVE))
    less = Connection.objects.filter(pk=connection.pk, reserve_percent__lt=connection.reserve_percent)
    less.update(reserve_percent=connection.reserve_percent)


def reseal_keys() -> tuple[int, int]:
    """Put all keys under the SECRET_KEY of today; returns how many were, and how many cannot be read any more."""
    done = lost = 0
    for connection in Connection.objects.exclude(encrypted_key=""):
        try:
            token = reseal(connection.encrypted_key)
        except UnreadableSecret:
            lost += 1
            continue
        # Only the key that was read: one that a manager has entered meanwhile stays.
        same = Connection.objects.filter(pk=connection.pk, encrypted_key=connection.encrypted_key)
        done += same.update(encrypted_key=token)
    return done, lost


def _checked(given: Given) -> Given:
    """With the address as it is kept. Raises ActionError for what cannot be."""
    name, model = given.name.strip(), given.model.strip()
    if not name or not model:
        raise ActionError(_("Give a name and a model."), field="model" if name else "name")
    if not 1 <= given.timeout_s <= MOST_TIMEOUT_S:
        raise ActionError(_("A request may take 1 to 600 seconds."), field="timeout_s")
    if not 1 <= given.concurrency <= MOST_CONCURRENCY:
        raise ActionError(_("Between 1 and 64 requests at a time."), field="concurrency")
    if given.requests_per_minute is not None and given.requests_per_minute < 1:
        raise ActionError(_("At least one request a minute, or no limit."), field="requests_per_minute")
    return replace(given, name=name, model=model, base_url=checked_address(given.base_url))


def checked_address(text: str) -> str:
    """The address as it is kept, where it may be called (S03, S12, S13). Raises ActionError on `base_url`."""
    from annotator_core.verifiers.guard import check_address

    address = text.strip().rstrip("/").removesuffix(ENDPOINT)
    try:
        check_address(address, allow=settings.OUTBOUND_ALLOW)
    except AddressRefused as error:
        raise ActionError(error.message, field="base_url") from error
    if "?" in address or "#" in address:
        raise ActionError(_("The address ends before “?”. A key has a field of its own."), field="base_url")
    return address


def _place(address: str) -> tuple[str, str]:
    """Scheme, host and port: who reads what is sent."""
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()


def _sealed(key: str) -> str:
    key = key.strip()
    if len(key) > MOST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise ActionError(_("This is no key: it holds letters, digits and signs only."), field="key")
    return seal(key) if key else ""


def _write(connection: Connection, given: Given) -> None:
    connection.name, connection.base_url, connection.model = given.name, given.base_url, given.model
    connection.timeout_s, connection.concurrency = given.timeout_s, given.concurrency
    connection.requests_per_minute = given.requests_per_minute
    try:
        with transaction.atomic():
            connection.save()
    except IntegrityError as error:
        text = _("There is a connection named “%(name)s” already. Give this one another name.")
        raise ActionError(text % {"name": given.name}, field="name") from error
