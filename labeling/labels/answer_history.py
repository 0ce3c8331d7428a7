"""What language models answered on one text, with the calls behind it: prompts as sent, tokens, money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotator_core.verifiers.contract import Outcome
from labeling.datasets.models import Sample
from labeling.labels.models import VerifierAnswer
from labeling.llm.models import LlmCall
from labeling.runs.models import Run

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
    """One call with its prompt."""

    call: LlmCall
    prompt: tuple[ShownMessage, ...]


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What a connection answered on the text in a run; `calls` oldest first, cost and tokens of all of them."""

    answer: VerifierAnswer
    outcome: str
    calls: list[ShownCall]
    cost_nano: int
    tokens: int


def answers_on(sample: Sample) -> list[ShownAnswer]:
    """The answers on the sample's text, newest run first: equal texts of the data set share them. Two queries."""
    runs = Run.objects.filter(dataset=sample.dataset_id).values("id")
    found = VerifierAnswer.objects.filter(run__in=runs, text_hash=sample.text_hash)
    answers = list(found.select_related("run", "connection", "label_class", "call").order_by("-run_id", "id"))
    if not answers:
        return []
    project, asked = sample.dataset.project_id, {answer.sample_id for answer in answers}
    newest = LlmCall.objects.filter(project=project, sample__in=asked).select_related("connection").order_by("-id")
    calls = list(newest[: CALLS_SHOWN * len(answers)])
    return [_shown(answer, calls) for answer in answers]


def _shown(answer: VerifierAnswer, calls: Sequence[LlmCall]) -> ShownAnswer:
    """Those of its own run, and the one that was made for an earlier run where its answer was at hand."""
    own = {call.pk: call for call in calls if _is_behind(call, answer)}
    if answer.call is not None:
        own.setdefault(answer.call.pk, answer.call)
    behind = [own[pk] for pk in sorted(own)]
    return ShownAnswer(
        answer=answer,
        outcome=str(OUTCOMES.get(answer.outcome, answer.outcome)),
        calls=[ShownCall(call, _prompt_of(call.messages)) for call in behind],
        cost_nano=sum(call.cost_nano for call in behind),
        tokens=sum(call.tokens_in + call.tokens_out for call in behind),
    )


def _is_behind(call: LlmCall, answer: VerifierAnswer) -> bool:
    return (call.run, call.connection_id, call.sample) == (answer.run_id, answer.connection_id, answer.sample_id)


def _prompt_of(messages: Sequence[Mapping[str, Any]]) -> tuple[ShownMessage, ...]:
    return tuple(
        ShownMessage(str(ROLES.get(str(one.get("role")), one.get("role"))), str(one.get("content", "")))
        for one in messages
    )
