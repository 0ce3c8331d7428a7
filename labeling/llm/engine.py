"""The bridge to the engine's verifiers: a connection as something that can be asked."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWaiting
from datetime import date
from threading import Thread
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator_core.errors import CallFailed, ConnectionBroken
from annotator_core.verifiers.contract import Failure, FailureKind, Message, Plan, Price, Strategy
from annotator_core.verifiers.money import worst_nano
from labeling.llm.models import Connection
from labeling.llm.queries import price_on
from labeling.llm.secrets import UnreadableSecret, unseal

if TYPE_CHECKING:
    from annotator_core.verifiers.capability import Probe
    from annotator_core.verifiers.client import Endpoint, OpenAIAsker

TEST_S: Final = 20.0
"""A test ends after so many seconds; chosen: as long as somebody waits at a screen."""
TEST_REQUESTS, TEST_TOKENS = 8, 256
"""Source: verifiers.capability.probe, requests at most and tokens of an answer."""
TEST_QUESTION: Final = (Message("user", "x" * 120),)
"""As long as the longest of its questions."""
DRAW_TEMPERATURE = 0.7  # chosen: draws at 0 would all be the same and their agreement would mean nothing


def open_asker(connection: Connection) -> "OpenAIAsker":
    """The connection as the engine asks it; close it.

    Raises ConnectionBroken for one that a person must mend first, AddressRefused for an address not to be called.
    """
    from annotator_core.verifiers.client import OpenAIAsker

    return OpenAIAsker(endpoint_of(connection), allow=settings.OUTBOUND_ALLOW)


def endpoint_of(connection: Connection, *, timeout_s: float | None = None) -> "Endpoint":
    """Address, key, limits and today's price of a connection.

    Raises ConnectionBroken where it is retired, its key cannot be read or no price has begun.
    """
    from annotator_core.verifiers.capability import Capability
    from annotator_core.verifiers.client import Endpoint

    if connection.is_retired:
        raise ConnectionBroken(_("The connection “%(name)s” is retired.") % {"name": connection.name})
    capability = Capability.from_state(connection.capability) if connection.capability else None
    return Endpoint(
        base_url=connection.base_url,
        model=connection.model,
        key=key_of(connection),
        timeout_s=timeout_s or connection.timeout_s,
        price=price_of(connection, timezone.localdate()),
        capability=capability,
    )


def key_of(connection: Connection) -> str | None:
    """The key to send, None for none: its own, or the operator's where it asks at the operator's address.

    Raises ConnectionBroken where the kept key cannot be read any more.
    """
    if connection.encrypted_key:
        try:
            return unseal(connection.encrypted_key)
        except UnreadableSecret as error:
            text = _("The key of “%(name)s” cannot be read any more. Enter it again on the connection's page.")
            raise ConnectionBroken(text % {"name": connection.name}) from error
    return settings.OPENAI_API_KEY or None if is_operators(connection.base_url) else None


def is_operators(base_url: str) -> bool:
    """Whether this is the operator's own address with a key of its own: only there is that key ever sent."""
    own = settings.OPENAI_BASE_URL.rstrip("/")
    return bool(settings.OPENAI_API_KEY) and bool(own) and base_url.rstrip("/") == own


def price_of(connection: Connection, day: date) -> Price:
    """What a million tokens cost on that day. Raises ConnectionBroken where no price has begun: nothing is guessed."""
    found = price_on(connection, day)
    if found is None:
        text = _("“%(name)s” has no price for today. Enter one on the connection's page; 0 where it costs nothing.")
        raise ConnectionBroken(text % {"name": connection.name})
    return Price(float(found.input_usd), float(found.cached_usd), float(found.output_usd))


def plan_of(
    *, classes: Sequence[str], strategy: str, shows_votes: bool = False, draws: int = 1, guideline: str = ""
) -> Plan:
    """How a run asks: several draws at a temperature, a single one at 0."""
    return Plan(
        classes=tuple(classes),
        strategy=Strategy(strategy),
        shows_votes=shows_votes,
        draws=draws,
        temperature=temperature_of(draws),
        guideline=guideline,
    )


def temperature_of(draws: int) -> float:
    """The temperature at which so many answers for a text are asked for."""
    return DRAW_TEMPERATURE if draws > 1 else 0.0


def price_of_test(connection: Connection) -> int:
    """The most that a test can cost, in nano-dollars. Raises ConnectionBroken where no price has begun."""
    price = price_of(connection, timezone.localdate())
    return TEST_REQUESTS * worst_nano(TEST_QUESTION, TEST_TOKENS, price)


def probe_connection(connection: Connection, *, within_s: float = TEST_S) -> "Probe":
    """What the connection's model can do, by small real requests on a thread of their own.

    Raises ConnectionBroken, AddressRefused, and CallFailed, also where it is not over after `within_s` seconds.
    """
    endpoint = endpoint_of(connection, timeout_s=min(connection.timeout_s, within_s))
    found: Future[Probe] = Future()
    Thread(target=_probe, args=(endpoint, found), daemon=True).start()
    try:
        return found.result(timeout=within_s)
    except StillWaiting:
        text = _("The test took longer than %(seconds)d seconds. A model that is loaded first may be faster next time.")
        message = text % {"seconds": round(within_s)}
    raise CallFailed(Failure(FailureKind.TIMEOUT, message, may_have_cost=True))


def _probe(endpoint: "Endpoint", found: "Future[Probe]") -> None:
    from annotator_core.verifiers.capability import probe

    try:
        found.set_result(probe(endpoint, settings.OUTBOUND_ALLOW))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is raised where the test is waited for)
        found.set_exception(error)
