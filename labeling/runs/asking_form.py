"""The part of a run's plan that says who reviews hard rows, and how a language model is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.llm.models import Connection
from labeling.runs.models import AnswerUse, AskStrategy, Mode
from labeling.runs.policies import CONFIDENT_FROM
from labeling.web.wording import NANO, word_money

SURE_FROM = 80  # chosen: as the model's default; the forecast and the audit say whether it suits the project
MODE_HINTS = {
    Mode.HUMAN: gettext_lazy("People decide every hard row."),
    Mode.LLM: gettext_lazy(
        "It decides every hard row on which it names a class. People get only those on which it names none."
    ),
    Mode.LLM_THEN_HUMAN: gettext_lazy(
        "It sees every hard row first. People get those on which it names no class, is not sure, or contradicts"
        " specialists that are."
    ),
}
SURE_HELP = format_lazy(
    gettext_lazy(
        "At any confidence people see answers against specialists who are at least {pool}% sure. A model that does not"
        " say how sure it is leaves every answer to them until an audit has measured the votes and its own: ask it"
        " several times, answer an audit first, or choose 0."
    ),
    pool=f"{100 * CONFIDENT_FROM:g}",
)
USE_HELP = gettext_lazy(
    "As one more vote it is weighed against the specialists by what the audit says of each; it never did much worse"
    " than they in our measurements, while replacing cost up to 16 points. The paper's policy always replaces."
)
DRAWS_HELP = gettext_lazy("More than once, the share of answers that agree says how sure it is. Each costs the same.")
CAP_HELP = gettext_lazy(
    "A hard limit. What a call may cost at most is set aside before it is sent; at the limit the run stops asking and"
    " says so. It can be raised at any time."
)


@dataclass(frozen=True, slots=True)
class Asking:
    """Which models are asked, how, and what their answer is: the part of a plan that a forecast needs.

    `sure_from` (0 to 1) is the confidence from which an answer needs no person.
    """

    connections: tuple[Connection, ...] = ()
    answer_use: AnswerUse = AnswerUse.FUSE
    strategy: AskStrategy = AskStrategy.ZERO_SHOT
    draws: int = 1
    shows_votes: bool = False
    sure_from: float = SURE_FROM / 100

    @property
    def is_fused(self) -> bool:
        """Whether the answer is one more vote."""
        return self.answer_use == AnswerUse.FUSE


class AskFields(forms.Form):
    """The models that are asked, and how; shares are percentages here."""

    verifiers = forms.MultipleChoiceField(
        label=gettext_lazy("Models that are asked"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Of several, the majority is the answer."),
    )
    answer_use = forms.ChoiceField(
        label=gettext_lazy("What its answer is"),
        choices=[
            (AnswerUse.FUSE, gettext_lazy("One more vote (recommended)")),
            (AnswerUse.REPLACE, gettext_lazy("The label")),
        ],
        widget=forms.RadioSelect,
        initial=AnswerUse.FUSE,
        required=False,
        help_text=USE_HELP,
    )
    sure_from = forms.FloatField(
        label=gettext_lazy("No person from a confidence of, in percent"),
        initial=SURE_FROM,
        required=False,
        help_text=SURE_HELP,
    )
    ask_strategy = forms.ChoiceField(
        label=gettext_lazy("How it is asked"),
        choices=AskStrategy.choices,
        widget=forms.RadioSelect,
        initial=AskStrategy.ZERO_SHOT,
        required=False,
        help_text=gettext_lazy(
            "Examples are texts that people have decided, never those of an audit; without any yet, the run waits for"
            " some. Examples and thinking aloud cost more tokens."
        ),
    )
    draws = forms.IntegerField(
        label=gettext_lazy("Times each text is asked"), initial=1, required=False, help_text=DRAWS_HELP
    )
    shows_votes = forms.BooleanField(label=gettext_lazy("Show it the specialists' votes"), required=False)

    def offer(self, connections: Iterable[Connection]) -> None:
        """Let these connections be chosen; the first one is, at the start."""
        self.connections = {str(one.pk): one for one in connections}
        field = cast(forms.MultipleChoiceField, self.fields["verifiers"])
        field.choices = [(pk, connection_words(one)) for pk, one in self.connections.items()]
        field.initial = list(self.connections)[:1]

    def how(self) -> dict[str, Any]:
        """How is asked, as fields of a Policy; what was left empty or cannot be read is as it was at the start."""
        data = self.cleaned_data
        sure_from = data.get("sure_from")
        return {
            "answer_use": AnswerUse(data.get("answer_use") or AnswerUse.FUSE),
            "ask_strategy": AskStrategy(data.get("ask_strategy") or AskStrategy.ZERO_SHOT),
            "shows_votes": bool(data.get("shows_votes")),
            "draws": 1 if data.get("draws") is None else data["draws"],
            "sure_from": (SURE_FROM if sure_from is None else sure_from) / 100,
        }

    def asking(self) -> Asking:
        """The whole of it; call when cleaned."""
        how = self.how()
        chosen = tuple(self.connections[pk] for pk in self.cleaned_data.get("verifiers") or ())
        return Asking(chosen, strategy=how.pop("ask_strategy"), **how)

    def has_asking_errors(self) -> bool:
        """Whether a figure of how it is asked was refused, so that its part of the page stands open."""
        return any(name in self.errors for name in ("ask_strategy", "draws", "shows_votes"))


class AskingForm(AskFields):
    """Mode, connections and cap; shares are percentages here, money is in dollars."""

    mode = forms.ChoiceField(
        label=gettext_lazy("Who reviews hard rows"),
        choices=Mode.choices,
        widget=forms.RadioSelect,
        initial=Mode.HUMAN,
        required=False,
    )
    cap = forms.DecimalField(
        label=gettext_lazy("May cost at most, in US dollars"),
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "5.00", "step": "any"}),
        help_text=CAP_HELP,
    )

    def modes(self) -> list[tuple[Any, str]]:
        """Each mode's button with what it means."""
        return [(radio, str(MODE_HINTS[Mode(radio.data["value"])])) for radio in self["mode"]]

    def is_asking(self) -> bool:
        """Whether a language model takes part."""
        return (self.cleaned_data.get("mode") or Mode.HUMAN) != Mode.HUMAN

    def clean_asking(self) -> None:
        """Connections and a cap are needed where a model is asked; what is said of it is nothing to others."""
        if "mode" in self.errors:
            return
        if not self.is_asking():
            for name in AskingForm.base_fields:
                self.errors.pop(name, None)
            return
        if not self.cleaned_data.get("verifiers") and "verifiers" not in self.errors:
            self.add_error("verifiers", _("Choose at least one model, or let people review."))
        if not self.cleaned_data.get("cap") and "cap" not in self.errors:
            self.add_error("cap", _("Say what it may cost at most: without a limit nothing is asked."))

    def chosen_verifiers(self) -> list[Connection]:
        """The connections that are asked, in the order of the page; none where people review."""
        return [self.connections[pk] for pk in self.cleaned_data["verifiers"]] if self.is_asking() else []

    def cap_nano(self) -> int:
        """The limit in nano-dollars; 0 where people review."""
        return int(self.cleaned_data["cap"] * NANO) if self.is_asking() else 0

    def asked_policy(self) -> dict[str, Any]:
        """What is said of it as fields of a Policy."""
        if not self.is_asking():
            return {"mode": Mode.HUMAN}
        return {"mode": Mode(self.cleaned_data["mode"])} | self.how()


class CapForm(forms.Form):
    """What a run may cost from now on."""

    cap = forms.DecimalField(
        label=gettext_lazy("May cost at most, in US dollars"),
        min_value=0,
        max_digits=12,
        decimal_places=4,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text=gettext_lazy("In all, with what is spent already. Below that, nothing more is asked."),
    )

    def cap_nano(self) -> int:
        """The limit in nano-dollars; call when valid."""
        return int(self.cleaned_data["cap"] * NANO)


def connection_words(connection: Connection) -> str:
    """A connection as a choice: name, model, today's price, and what is wrong with it."""
    parts = [connection.name, connection.model, price_words(connection)]
    if connection.error:
        parts.append(_("did not work lately"))
    elif not connection.tested_at:
        parts.append(_("not tested yet"))
    return " · ".join(parts)


def price_words(connection: Connection) -> str:
    """Today's price a million tokens; prices must be at hand, the newest first."""
    today = timezone.now().date()
    price = next((one for one in connection.prices.all() if one.valid_from <= today), None)
    if price is None:
        return _("no price yet")
    words = {"in": word_money(int(price.input_usd * NANO)), "out": word_money(int(price.output_usd * NANO))}
    return _("%(in)s in, %(out)s out a million tokens") % words
