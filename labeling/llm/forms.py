"""The forms of connections, prices and caps. A key is typed in and never comes back in a form."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.llm.models import Connection

NANO = 1_000_000_000


class KeyInput(forms.PasswordInput):
    """A field whose value no browser keeps and no page repeats."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"}, render_value=False)


class ConnectionForm(forms.Form):
    """Address, model, key and limits."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What people here call it."))
    base_url = forms.CharField(
        label=_("Address"),
        max_length=300,
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Of any server that speaks OpenAI's protocol, such as https://api.openai.com/v1."),
    )
    model = forms.CharField(
        label=_("Model"),
        max_length=200,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        help_text=_("As the server calls it."),
    )
    key = forms.CharField(
        label=_("Key"),
        max_length=1_000,
        required=False,
        widget=KeyInput,
        help_text=_("Kept encrypted, sent to this address only, and never shown again. Empty where none is needed."),
    )
    timeout_s = forms.FloatField(
        label=_("Timeout, in seconds"), min_value=1, max_value=600, initial=60, help_text=_("Of one request.")
    )
    concurrency = forms.IntegerField(
        label=_("Requests at a time"), min_value=1, max_value=64, initial=8, help_text=_("1 to 64.")
    )
    requests_per_minute = forms.IntegerField(
        label=_("Requests a minute"),
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text=_("At most; empty for no limit."),
    )

    def given(self) -> dict[str, Any]:
        """What was said about the connection, without its key and prices; call when valid."""
        names = ("name", "base_url", "model", "timeout_s", "concurrency", "requests_per_minute")
        return {name: self.cleaned_data[name] for name in names}


class PriceFields(forms.Form):
    """Dollars for a million tokens."""

    input_usd = forms.DecimalField(label=_("Tokens in"), min_value=0, max_digits=10, decimal_places=4)
    cached_usd = forms.DecimalField(
        label=_("In, from the cache"),
        min_value=0,
        max_digits=10,
        decimal_places=4,
        required=False,
        help_text=_("Empty: as much as tokens in."),
    )
    output_usd = forms.DecimalField(label=_("Tokens out"), min_value=0, max_digits=10, decimal_places=4)

    def tariff(self) -> dict[str, Decimal]:
        """The three prices; without one of its own the cache costs what all tokens in cost. Call when valid."""
        data = self.cleaned_data
        cached = data["cached_usd"] if data["cached_usd"] is not None else data["input_usd"]
        return {"input_usd": data["input_usd"], "cached_usd": cached, "output_usd": data["output_usd"]}


class NewConnectionForm(ConnectionForm, PriceFields):
    """A connection with its first price."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"base_url": settings.OPENAI_BASE_URL})


class ChangeConnectionForm(ConnectionForm):
    """A connection as it is; an empty key keeps the one that is there."""

    remove_key = forms.BooleanField(label=_("Remove the key"), required=False)

    def __init__(self, data: Any = None, *, connection: Connection) -> None:
        names = ("name", "base_url", "model", "timeout_s", "concurrency", "requests_per_minute")
        initial = {name: getattr(connection, name) for name in names}
        super().__init__(data, initial=initial | {"timeout_s": f"{connection.timeout_s:g}"})
        if connection.has_key:
            self.fields["key"].help_text = _("A key is kept. Leave this empty to keep it.")
        else:
            del self.fields["remove_key"]


class PriceForm(PriceFields):
    """A price from a day on."""

    valid_from = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    field_order = ("valid_from", "input_usd", "cached_usd", "output_usd")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"valid_from": timezone.localdate()}, prefix="price")


class CapForm(forms.Form):
    """What may be asked outside runs."""

    cap = forms.DecimalField(
        label=_("At most, in dollars"), min_value=0, max_value=1_000_000, max_digits=16, decimal_places=9
    )

    def __init__(self, data: Any = None, *, cap_nano: int = 0) -> None:
        super().__init__(data, initial={"cap": (Decimal(cap_nano) / NANO).normalize() if cap_nano else None})

    def cap_nano(self) -> int:
        """Whole nano-dollars; call when valid."""
        return int(self.cleaned_data["cap"] * NANO)
