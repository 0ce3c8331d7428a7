"""What a run took beside asking a language model about every row. Source: the paper's Table 4."""

from dataclasses import dataclass

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, Sum

from labeling.llm.models import Purpose, Spending
from labeling.llm.queries import Totals, seconds_asked, totals_of, totals_of_calls
from labeling.runs.models import LlmPilot, PoolMember, Run
from labeling.runs.pilots.figures import from_json

REUSED_CALLS = 1_000
"""Calls behind reused answers that are looked at, by the hash of their text; chosen: read in some milliseconds."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean answered call, of `calls`, and how many a text takes (models times draws).

    Tokens are in and out together, `nano` nano-dollars, `seconds` None where nothing was timed. `calls_a_s` is how many
    were answered a second; without it times are those of one call after the other. They were made by `pilot`, by
    `run`, or by the run itself; where `is_reused`, its answers were at hand, and the calls had been made for others.
    """

    calls: int
    calls_a_text: int
    tokens: float
    nano: float
    seconds: float | None = None
    calls_a_s: float | None = None
    is_reused: bool = False
    pilot: LlmPilot | None = None
    run: Run | None = None

    @property
    def whole_tokens(self) -> int:
        """Tokens of a call as they are told."""
        return round(self.tokens)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a run's calls took, and what asking about every row would take at the same measure.

    `labeled` are the rows that got their label from them, copies of texts included. Tokens are in and out together.
    `asked_s` are seconds of asking, None where not measured, `vote_s` those of the specialists' inference. `share` (0
    to 1) is what was not spent; below 0 where asking all at once had cost less.
    """

    rows: int
    labeled: int
    calls: int
    tokens: int
    cost_nano: int
    measure: Measure
    asked_s: float | None = None
    vote_s: float = 0.0

    @property
    def nano_a_label(self) -> int | None:
        """What a label cost, in nano-dollars; None where none was given."""
        return round(self.cost_nano / self.labeled) if self.labeled else None

    @property
    def all_calls(self) -> int:
        """Calls for every row."""
        return self.rows * self.measure.calls_a_text

    @property
    def all_tokens(self) -> int:
        """Tokens of these calls."""
        return round(self.all_calls * self.measure.tokens)

    @property
    def all_nano(self) -> int:
        """Their price in nano-dollars."""
        return round(self.all_calls * self.measure.nano)

    @property
    def all_s(self) -> float | None:
        """Their seconds; None where nothing was timed."""
        if self.measure.calls_a_s:
            return self.all_calls / self.measure.calls_a_s
        return None if self.measure.seconds is None else self.all_calls * self.measure.seconds

    @property
    def calls_share(self) -> float:
        """Calls that were not made, 0 to 1."""
        return 1 - self.calls / self.all_calls if self.all_calls else 0.0

    @property
    def tokens_share(self) -> float:
        """Tokens that were not used, 0 to 1."""
        return 1 - self.tokens / self.all_tokens if self.all_tokens else 0.0

    @property
    def share(self) -> float | None:
        """Money that was not spent, 0 to 1; None where calls cost nothing."""
        return 1 - self.cost_nano / self.all_nano if self.all_nano else None

    @property
    def time_share(self) -> float | None:
        """Time that was not spent on asking, 0 to 1; None where it was not measured."""
        return 1 - self.asked_s / self.all_s if self.all_s and self.asked_s is not None else None


def saving_of(run: Run, totals: Totals, models: int) -> Saving | None:
    """By the run's own calls, without its times; None before any was answered. No query."""
    return _beside(run, totals, _mean(totals, _calls_a_text(run, models))) if totals.stored else None


def timed_saving_of(run: Run, totals: Totals, models: int) -> Saving | None:
    """The same with times; where every answer was at hand, by the calls behind them. None before any answer."""
    calls_a_text = _calls_a_text(run, models)
    if totals.stored:
        asked_s = seconds_asked(run.project, run.pk)
        measure = _mean(totals, calls_a_text, asked_s=asked_s)
        in_turn_s = totals.latency_ms / 1000 if measure.seconds else None
        return _beside(run, totals, measure, asked_s=asked_s or in_turn_s, vote_s=vote_seconds(run))
    behind = run.answers.exclude(call=None).order_by("text_hash", "connection_id")  # of a room above this one
    reused = totals_of_calls(behind.values("call")[:REUSED_CALLS])
    if not reused.stored:
        return None
    measure = _mean(reused, calls_a_text, is_reused=True)
    return _beside(run, totals, measure, asked_s=0.0, vote_s=vote_seconds(run))


def saving_of_people(run: Run) -> Saving | None:
    """Of a run that people review: nothing was asked. By a pilot or another run; None where nothing measures it."""
    measure = measure_of_others(run)
    return _beside(run, Totals(), measure, asked_s=0.0, vote_s=vote_seconds(run)) if measure else None


def measure_of_others(run: Run) -> Measure | None:
    """What the newest pilot or run of the project measured, of those on the same data first."""
    is_here = ExpressionWrapper(Q(dataset=run.dataset_id), output_field=BooleanField())
    asked = Spending.objects.filter(project=run.project_id, purpose=Purpose.VERIFY, stored__gt=0).values("run")
    pilots = LlmPilot.objects.filter(project=run.project_id, figures__isnull=False)
    pilot = pilots.select_related("dataset").order_by(is_here.desc(), "-id").first()
    runs = Run.objects.filter(project=run.project_id, pk__in=asked).annotate(models=Count("verifiers"))
    other = runs.select_related("dataset").order_by(is_here.desc(), "-id").first()
    by_pilot = _mean_of_pilot(pilot) if pilot else None
    if other is None:
        return by_pilot
    if pilot and by_pilot and _is_nearer(pilot, other, run):
        return by_pilot
    totals = totals_of(run.project, run=other.pk, purpose=Purpose.VERIFY)
    asked_s = seconds_asked(run.project, other.pk)
    return _mean(totals, _calls_a_text(other, other.models), asked_s=asked_s, run=other)


def vote_seconds(run: Run) -> float:
    """Seconds of inference of all specialists of the run, added up."""
    return PoolMember.objects.filter(generation__run=run).aggregate(all=Sum("seconds"))["all"] or 0.0


def _is_nearer(pilot: LlmPilot, other: Run, run: Run) -> bool:
    """Whether the pilot is on the run's data where the other is not, or as near and newer."""
    places = [one.dataset_id == run.dataset_id for one in (pilot, other)]
    return places[0] > places[1] or (places[0] == places[1] and pilot.created_at > other.created_at)


def _calls_a_text(run: Run, models: int) -> int:
    return max(1, models) * run.draws


def _mean(
    totals: Totals,
    calls_a_text: int,
    *,
    asked_s: float | None = None,
    is_reused: bool = False,
    run: Run | None = None,
) -> Measure:
    """Of calls of which some were answered. What was paid for lost ones counts, too."""
    return Measure(
        calls=totals.stored,
        calls_a_text=calls_a_text,
        tokens=totals.mean_in + totals.mean_out,
        nano=totals.cost_nano / totals.stored,
        seconds=totals.latency_ms / totals.stored / 1000 or None,
        calls_a_s=totals.stored / asked_s if asked_s else None,
        is_reused=is_reused,
        run=run,
    )


def _mean_of_pilot(pilot: LlmPilot) -> Measure | None:
    """Over all its models; None where none has answered."""
    figures = from_json(pilot.figures or {})
    calls = sum(one.calls for one in figures.measured)
    if not calls:
        return None
    return Measure(
        calls=calls,
        calls_a_text=len(figures.measured) * pilot.draws,
        tokens=sum(one.calls * (one.tokens_in + one.tokens_out) for one in figures.measured) / calls,
        nano=figures.cost_nano / calls,
        seconds=sum(one.calls * one.seconds for one in figures.measured) / calls or None,
        pilot=pilot,
    )


def _beside(run: Run, totals: Totals, measure: Measure, *, asked_s: float | None = None, vote_s: float = 0.0) -> Saving:
    return Saving(
        rows=run.row_count,
        labeled=run.verified,
        calls=totals.calls,
        tokens=totals.tokens_in + totals.tokens_out,
        cost_nano=totals.cost_nano,
        measure=measure,
        asked_s=asked_s,
        vote_s=vote_s,
    )
