"""What the answers of a pilot say of its models: how right and how sure they are, what their calls took."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from labeling.labels.answer_queries import StoredAnswer
from labeling.llm.models import LlmCall
from labeling.llm.queries import stored_calls
from labeling.pipeline.fusing import Fused, Joined, fuse_piloted, join
from labeling.runs.models import LlmPilot, PilotAnswer, PilotRow, Run
from labeling.runs.pilots.figures import ALWAYS, Counted, Measured, PilotFigures
from labeling.runs.pilots.queries import keys_of
from labeling.runs.policies import CONFIDENT_FROM


def figures_of(pilot: LlmPilot) -> PilotFigures | None:
    """The figures of the rows that all its models have answered; None of no row."""
    connections = list(pilot.connections.order_by("id").values_list("id", flat=True))
    given: dict[int, list[PilotAnswer]] = defaultdict(list)
    for answer in PilotAnswer.objects.filter(row__pilot=pilot).order_by("connection_id"):
        given[answer.row_id].append(answer)
    drawn = PilotRow.objects.filter(pilot=pilot).select_related("sample").order_by("id")
    rows = [row for row in drawn if len(given[row.pk]) == len(connections)]
    if not rows:
        return None
    answers = {row.pk: join([_stored(one) for one in given[row.pk]]) for row in rows}
    fused = _fuse_rows(pilot.run, rows, answers) if pilot.run else {}
    known = [row for row in rows if row.known_class_id and answers[row.pk].class_id is not None]
    return PilotFigures(
        rows=len(rows),
        abstained=sum(one.class_id is None for one in answers.values()),
        right=Counted(sum(answers[row.pk].class_id == row.known_class_id for row in known), len(known)),
        fused=_count_fused(known, fused),
        pool=Counted(sum(row.pool_class_id == row.known_class_id for row in known), len(known) if pilot.run else 0),
        agreed=_count_agreed(rows, answers),
        sureness=tuple(_sureness(row, answers[row.pk]) for row in rows),
        fused_sureness=_fused_sureness(rows, answers, fused),
        measured=tuple(_measure(pilot, one, given) for one in connections),
        cost_nano=sum(call.cost_nano for call in _calls(pilot, [a for row in given.values() for a in row])),
    )


def _stored(answer: PilotAnswer) -> StoredAnswer:
    return StoredAnswer(answer.connection_id, answer.label_class_id, answer.confidence, answer.outcome, "")


def _count_agreed(rows: Sequence[PilotRow], answers: Mapping[int, Joined]) -> Counted:
    both = [row for row in rows if row.pool_class_id and answers[row.pk].class_id is not None]
    return Counted(sum(answers[row.pk].class_id == row.pool_class_id for row in both), len(both))


def _sureness(row: PilotRow, answer: Joined) -> float:
    """As a run rules (pipeline.ruling): nobody's answer, and one against a confident pool, goes to a person."""
    is_other = row.pool_class_id is not None and answer.class_id not in {None, row.pool_class_id}
    if answer.class_id is None or (is_other and (row.pool_confidence or 0.0) >= CONFIDENT_FROM):
        return ALWAYS
    return round(answer.confidence or 0.0, 4)


def _fused_sureness(
    rows: Sequence[PilotRow], answers: Mapping[int, Joined], fused: Mapping[int, Fused]
) -> tuple[float, ...]:
    """Without an audit a fusion may not overrule the models: what it says otherwise goes to a person.

    Elsewhere they are as sure as they say themselves; how sure the fusion is means nothing before it was measured.
    """
    found = []
    for row in rows if fused else ():
        is_kept = row.pk in fused and fused[row.pk].class_id == answers[row.pk].class_id
        found.append(_sureness(row, answers[row.pk]) if is_kept else ALWAYS)
    return tuple(found)


def _count_fused(known: Sequence[PilotRow], fused: Mapping[int, Fused]) -> Counted:
    both = [(row, fused[row.pk]) for row in known if row.pk in fused]
    return Counted(sum(found.class_id == row.known_class_id for row, found in both), len(both))


def _fuse_rows(run: Run, rows: Sequence[PilotRow], answers: Mapping[int, Joined]) -> dict[int, Fused]:
    """By row, fitted without any gold: what is known of the rows judges it. Of none where it cannot be of all."""
    found: dict[int, Fused] = {}
    for generation in sorted({row.generation for row in rows}):
        own = {row.sample.text_hash: row for row in rows if row.generation == generation}
        said = {text_hash: answers[row.pk].class_id for text_hash, row in own.items()}
        fused = fuse_piloted(run, generation, said)
        if fused is None:
            return {}
        found |= {own[text_hash].pk: one for text_hash, one in fused.items()}
    return found


def _measure(pilot: LlmPilot, connection_id: int, given: Mapping[int, Sequence[PilotAnswer]]) -> Measured:
    """Of the calls behind its answers, also of those that were stored before."""
    own = [one for answers in given.values() for one in answers if one.connection_id == connection_id]
    calls = _calls(pilot, own)
    count = max(1, len(calls))
    return Measured(
        connection_id=connection_id,
        calls=len(calls),
        tokens_in=sum(call.tokens_in for call in calls) / count,
        tokens_cached=sum(call.tokens_cached for call in calls) / count,
        tokens_out=sum(call.tokens_out for call in calls) / count,
        seconds=sum(call.latency_ms or 0 for call in calls) / count / 1000,
    )


def _calls(pilot: LlmPilot, answers: Sequence[PilotAnswer]) -> list[LlmCall]:
    return list(stored_calls(pilot.project_id, keys_of(answers)).values())
