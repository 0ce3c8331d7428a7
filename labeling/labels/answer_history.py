"""What language models answered on one text, with the calls behind it: prompts as sent, tokens, money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotator_core.verifiers.contract import Outcome
from labeling.datasets.models import Sample
from labeling.labels.models import VerifierAnswer
from labeling.llm.models import CallState, LlmCall, Purpose
from labeling.runs.models import LlmPilot, PilotAnswer, Run
from labeling.runs.pilots.queries import keys_of

CALLS_SHOWN = 40  # chosen: ten draws, each asked twice, failed once: more says nothing new
ROLES: Mapping[str, Promise] = {"system": _("Instruction"), "user": _("Question"), "assistant": _("Answer")}
OUTCOMES: Mapping[str, Promise] = {
    Outcome.ANSWERED: _("Answered"),
    Outcome.OUTSIDE: _("Named no class of the project"),
    Outcome.EMPTY: _("Answered nothing"),
    Outcome.REFUSED: _("Refused to answer"),
    Outcome.TRUNCATED: _("Did not come to an end"),
    Outcome.SPLIT: _("Its answers contradict each other"),
    Outcome.FAILED: _("Could not be reached"),
}


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message of a prompt, as it was sent."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ShownCall:
    """One call with its prompt; `made_for` is "run" or "pilot" where another one had asked before."""

    call: LlmCall
    prompt: tuple[ShownMessage, ...]
    made_for: str


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What a connection answered on the text in a run, or in `pilot`; `at` that moment, `model` who it was.

    `calls` oldest first; cost and tokens of all of them.
    """

    answer: VerifierAnswer | PilotAnswer
    pilot: LlmPilot | None
    at: datetime
    model: str
    outcome: str
    calls: list[ShownCall]
    cost_nano: int
    tokens: int


def answers_on(sample: Sample) -> list[ShownAnswer]:
    """The answers on the sample's text, newest run first, then those of pilots, newest first. Three queries.

    Equal texts of the data set share them.
    """
    by_runs, by_pilots = _answers_in_runs(sample), _answers_in_pilots(sample)
    if not (by_runs or by_pilots):
        return []
    calls = _calls_behind(sample, by_runs, by_pilots)
    pilots = [one.row.pilot for one in by_pilots]
    shown = [_shown_of_run(answer, calls) for answer in by_runs]
    return shown + [_shown_of_pilot(answer, calls, pilots) for answer in by_pilots]


def _answers_in_runs(sample: Sample) -> list[VerifierAnswer]:
    runs = Run.objects.filter(dataset=sample.dataset_id).values("id")
    found = VerifierAnswer.objects.filter(run__in=runs, text_hash=sample.text_hash)
    return list(found.select_related("run", "connection", "label_class", "call").order_by("-run_id", "id"))


def _answers_in_pilots(sample: Sample) -> list[PilotAnswer]:
    equal = Sample.objects.filter(dataset=sample.dataset_id, text_hash=sample.text_hash).values("id")
    found = PilotAnswer.objects.filter(row__pilot__dataset=sample.dataset_id, row__sample__in=equal)
    return list(found.select_related("row__pilot", "connection", "label_class").order_by("-row__pilot_id", "id"))


def _calls_behind(sample: Sample, by_runs: Sequence[VerifierAnswer], by_pilots: Sequence[PilotAnswer]) -> list[LlmCall]:
    """All calls about the samples that were asked about, and those that pilots found at hand, newest first.

    Ids come from two indexes: a condition with OR would read all calls of the project.
    """
    asked = {one.sample_id for one in by_runs} | {one.row.sample_id for one in by_pilots}
    ids = LlmCall.objects.filter(sample__in=asked).values("id")
    if keys := keys_of(by_pilots):
        project = sample.dataset.project_id
        ids = ids.union(LlmCall.objects.filter(project=project, key__in=keys, state=CallState.STORED).values("id"))
    newest = LlmCall.objects.filter(pk__in=ids).select_related("connection").order_by("-id")
    return list(newest[: CALLS_SHOWN * (len(by_runs) + len(by_pilots))])


def _shown_of_run(answer: VerifierAnswer, calls: Sequence[LlmCall]) -> ShownAnswer:
    """Those of its own run, and the one that was made for other work where its answer was at hand."""
    own = {call.pk: call for call in calls if _is_of_run(call, answer)}
    if answer.call is not None:
        own.setdefault(answer.call.pk, answer.call)
    shown = [_shown_call(own[pk], is_own=own[pk].run == answer.run_id) for pk in sorted(own)]
    return _shown(answer, shown, pilot=None, at=answer.created_at, model=answer.model)


def _is_of_run(call: LlmCall, answer: VerifierAnswer) -> bool:
    return (call.run, call.connection_id, call.sample) == (answer.run_id, answer.connection_id, answer.sample_id)


def _shown_of_pilot(answer: PilotAnswer, calls: Sequence[LlmCall], pilots: Sequence[LlmPilot]) -> ShownAnswer:
    """Its own calls, and answers that were at hand; nobody noted when it was stored: with the last of its own calls."""
    pilot = answer.row.pilot
    shown = []
    for call in sorted(calls, key=lambda one: one.pk):
        is_own = call.purpose == Purpose.PILOT and _newest_before(call, pilots) == pilot
        if call.key in answer.keys and (is_own or call.state == CallState.STORED):
            shown.append(_shown_call(call, is_own=is_own))
    at = max((one.call.settled_at or one.call.created_at for one in shown if not one.made_for), default=None)
    model = shown[-1].call.model if shown else answer.connection.model
    return _shown(answer, shown, pilot=pilot, at=at or pilot.created_at, model=model)


def _newest_before(call: LlmCall, pilots: Sequence[LlmPilot]) -> LlmPilot | None:
    """The pilot that made the call: a project has one at work at a time."""
    begun = [one for one in pilots if one.created_at <= call.created_at]
    return max(begun, key=lambda one: one.created_at, default=None)


def _shown_call(call: LlmCall, *, is_own: bool) -> ShownCall:
    other = "pilot" if call.purpose == Purpose.PILOT else "run"
    return ShownCall(call, _prompt_of(call.messages), "" if is_own else other)


def _shown(
    answer: VerifierAnswer | PilotAnswer, calls: list[ShownCall], *, pilot: LlmPilot | None, at: datetime, model: str
) -> ShownAnswer:
    return ShownAnswer(
        answer=answer,
        pilot=pilot,
        at=at,
        model=model,
        outcome=str(OUTCOMES.get(answer.outcome, answer.outcome)),
        calls=calls,
        cost_nano=sum(one.call.cost_nano for one in calls),
        tokens=sum(one.call.tokens_in + one.call.tokens_out for one in calls),
    )


def _prompt_of(messages: Sequence[Mapping[str, Any]]) -> tuple[ShownMessage, ...]:
    return tuple(
        ShownMessage(str(ROLES.get(str(one.get("role")), one.get("role"))), str(one.get("content", "")))
        for one in messages
    )
