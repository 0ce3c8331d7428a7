"""What the pages of connections read: rows and counters, never all calls."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.llm.models import Connection, LlmCall, Price, Purpose
from labeling.llm.queries import (
    Totals,
    connections_of,
    recent_calls,
    retired_connections_of,
    totals_by,
    totals_of_connection,
)
from labeling.projects.models import Project


@dataclass(frozen=True, slots=True)
class Line:
    """A connection in the list: its price today, and all that was settled over it."""

    connection: Connection
    price: Price | None
    totals: Totals


@dataclass(frozen=True, slots=True)
class Lines:
    """The connections in use, and the retired ones."""

    in_use: list[Line]
    retired: list[Line]


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price of the table; `holds` today, or is to come."""

    price: Price
    holds: bool
    is_to_come: bool


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that the last test found: in words, and whether it is as good as it gets."""

    name: str
    words: str
    is_best: bool


@dataclass(frozen=True, slots=True)
class Page:
    """All that one connection's page shows. test: the last test's call, None before the first."""

    prices: list[PriceLine]
    price: Price | None
    totals: Totals
    calls: list[LlmCall]
    test: LlmCall | None
    abilities: list[Ability]


def lines_of(project: Project) -> Lines:
    """Four queries, whatever the number of connections and calls."""
    totals = totals_by(project, "connection")
    today = timezone.localdate()

    def line(connection: Connection) -> Line:
        return Line(connection, current_price(connection, today), totals.get(connection.pk, Totals()))

    in_use, retired = list(connections_of(project)), list(retired_connections_of(project).prefetch_related("prices"))
    return Lines([line(one) for one in in_use], [line(one) for one in retired])


def current_price(connection: Connection, day: date) -> Price | None:
    """The newest price that has begun, from prices that are read already."""
    return next((price for price in connection.prices.all() if price.valid_from <= day), None)


def page_of(connection: Connection) -> Page:
    """What one connection's page shows."""
    today = timezone.localdate()
    prices = list(connection.prices.all())
    price = next((one for one in prices if one.valid_from <= today), None)
    tests = LlmCall.objects.filter(connection=connection, purpose=Purpose.TEST).order_by("-created_at")
    return Page(
        prices=[PriceLine(one, one == price, one.valid_from > today) for one in prices],
        price=price,
        totals=totals_of_connection(connection),
        calls=recent_calls(connection),
        test=tests.defer("messages", "content").first(),
        abilities=abilities_of(connection.capability),
    )


SCHEMAS: dict[str, tuple[Promise, bool]] = {
    "json_schema": (gettext_lazy("Held to the classes by a JSON schema"), True),
    "json_object": (gettext_lazy("JSON, the classes by words only"), False),
    "text": (gettext_lazy("Plain text, read strictly"), False),
}


def abilities_of(capability: dict[str, Any]) -> list[Ability]:
    """What the last test found (engine: verifiers.capability), in words; nothing before it."""
    if not capability:
        return []
    words, is_best = SCHEMAS.get(str(capability.get("schema")), SCHEMAS["text"])
    has_logprobs = bool(capability.get("has_logprobs"))
    confidence = _("From log-probabilities") if has_logprobs else _("Only by asking several times")
    has_temperature = bool(capability.get("has_temperature"))
    temperature = _("Can be set") if has_temperature else _("Fixed by the model")
    return [
        Ability(_("Answers"), str(words), is_best),
        Ability(_("Confidence"), confidence, has_logprobs),
        Ability(_("Temperature"), temperature, has_temperature),
    ]
