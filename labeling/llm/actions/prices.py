"""The dated price table of a connection. What was booked stays as it was booked."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.llm.models import Connection, Price
from labeling.web.errors import ActionError

MOST_USD = Decimal(100_000)  # chosen: no provider asks a hundredth of it for a million tokens


@dataclass(frozen=True, slots=True)
class Tariff:
    """Dollars for a million tokens: in, in from the provider's cache, out."""

    input_usd: Decimal
    cached_usd: Decimal
    output_usd: Decimal


def set_price(*, connection: Connection, tariff: Tariff, valid_from: date, by: User | None) -> Price:
    """What tokens cost from that day on; a price of the same day is replaced. Raises ActionError."""
    for name in ("input_usd", "cached_usd", "output_usd"):
        if not 0 <= getattr(tariff, name) <= MOST_USD:
            raise ActionError(_("A price is between 0 and 100,000 dollars for a million tokens."), field=name)
    values = {"input_usd": tariff.input_usd, "cached_usd": tariff.cached_usd, "output_usd": tariff.output_usd}
    price, _is_new = Price.objects.update_or_create(
        connection=connection, valid_from=valid_from, defaults=values | {"created_by": by}
    )
    return price


def drop_price(*, connection: Connection, price_id: int) -> None:
    """Take a price out of the table. Raises ActionError for the last one: without a price nothing is asked."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        prices = Price.objects.filter(connection=connection)
        if prices.count() < 2:
            raise ActionError(_("This is the only price. Add another one first: without a price nothing is asked."))
        prices.filter(pk=price_id).delete()
