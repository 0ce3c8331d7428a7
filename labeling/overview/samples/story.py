"""Everything that is known about one sample and may be told of it."""

from dataclasses import dataclass

from labeling.datasets.models import Sample
from labeling.datasets.queries import cells_of
from labeling.labels.answer_history import ShownAnswer, answers_on
from labeling.labels.history import SampleHistory, history_of
from labeling.labels.models import ItemState, Label, ReviewItem
from labeling.overview.samples.blind import ShownItem, Veil, items_shown, veil_of
from labeling.overview.samples.moments import Facts, Moment, moments_of
from labeling.overview.samples.silence import silence_on
from labeling.projects.models import Membership
from labeling.projects.queries import memberships_of
from labeling.quality.models import AuditRow
from labeling.quality.page_queries import answered_row
from labeling.refinement.models import RoundSample

OFFERED = 500  # chosen: nobody reads a longer list of people


@dataclass(frozen=True, slots=True)
class Story:
    """A sample with its other columns, current label, pool answers, queue items and time line.

    `silence` says why no specialist voted, `returnable` is the item that can go back to the queue, to one of `people`.
    """

    sample: Sample
    columns: list[tuple[str, str | None]]
    label: Label | None
    history: SampleHistory
    answers: list[ShownAnswer]
    silence: str
    items: list[ShownItem]
    moments: list[Moment]
    audit_row: AuditRow | None
    veil: Veil
    returnable: ReviewItem | None
    people: list[Membership]


def story_of(sample: Sample) -> Story:
    """The sample's story. What the veil keeps back is not in it."""
    history, audit_row = history_of(sample), answered_row(sample)
    veil = veil_of(sample, history.items, is_audited=audit_row is not None)
    answers = [] if veil.hides_machines else answers_on(sample)
    moments = moments_of(Facts(sample, history, answers, _rounds_of(sample), audit_row), veil)
    shown = items_shown(history.items, veil)
    returnable = next((one.item for one in shown if one.item.state != ItemState.WITHDRAWN), None)
    return Story(
        sample=sample,
        columns=_columns(sample),
        label=next((one.fact for one in moments if one.kind == "label" and one.fact.is_current), None),
        history=history,
        answers=answers,
        silence=silence_on(sample) if not (history.answers or history.other_votes or veil.hides_machines) else "",
        items=shown,
        moments=moments,
        audit_row=audit_row,
        veil=veil,
        returnable=returnable,
        people=list(memberships_of(sample.dataset.project)[:OFFERED]) if returnable else [],
    )


def _columns(sample: Sample) -> list[tuple[str, str | None]]:
    dataset = sample.dataset
    cells = zip(dataset.columns, cells_of(dataset, sample.text, sample.cells), strict=True)
    return [(name, cell) for name, cell in cells if name != dataset.text_column]


def _rounds_of(sample: Sample) -> list[RoundSample]:
    """What the text did in refinement rounds of its project, newest first; a round takes equal texts once."""
    equal = Sample.objects.filter(dataset__project=sample.dataset.project_id, text_hash=sample.text_hash)
    rows = RoundSample.objects.filter(sample__in=equal).select_related("round", "label_class")
    return list(rows.order_by("-round__number", "role"))
