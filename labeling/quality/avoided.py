"""What a language model's labels are worth: errors that they avoided, by an audit, and what one of them cost."""

from dataclasses import dataclass

from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.audit_queries import blind_answers
from labeling.labels.models import Consensus, Label
from labeling.quality.models import AuditRow, Third
from labeling.quality.queries import newest_assessment
from labeling.quality.row_queries import PART
from labeling.runs.models import AnswerUse, Run

ENOUGH = 50
"""Rows from which on a share counts. Source: engine section 5, the race's own limit."""


@dataclass(frozen=True, slots=True)
class Avoided:
    """Of the rows that a model labeled (`labeled`), those that an audit has measured: `rows`.

    `pool_right`: those whose class by the specialists alone is a person's. `right`: those whose label is.
    """

    labeled: int
    rows: int
    pool_right: int
    right: int

    @property
    def is_measured(self) -> bool:
        """Whether enough rows say so."""
        return self.rows >= ENOUGH

    @property
    def errors(self) -> int:
        """Errors avoided on all rows that the model labeled; below 0 where it made more of them."""
        return round(self.labeled * (self.right - self.pool_right) / self.rows) if self.rows else 0

    def price(self, cost_nano: int) -> int | None:
        """What an avoided error cost, in nano-dollars; None where none was avoided."""
        return round(cost_nano / self.errors) if self.errors > 0 else None


def avoided_of(run: Run) -> Avoided | None:
    """What the run's audit says; None before one has measured it.

    Rows that the fusion was fitted on do not count: it knows their answers.
    """
    if newest_assessment(run) is None:
        return None
    drawn = AuditRow.objects.filter(dataset=run.dataset_id)
    drawn = drawn.exclude(third=Third.FIT) if run.answer_use == AnswerUse.FUSE else drawn
    labels = Label.objects.filter(run=run, source__in=MACHINE_SOURCES, sample__dataset=run.dataset_id)
    found = labels.filter(sample__text_hash__in=drawn.values("text_hash")).order_by("id")
    given = {pk: (text_hash, own) for pk, text_hash, own in found.values_list(*_ON_LABEL)}
    pool, truth = _pool_classes(run, list(given)), blind_answers(run.dataset_id, {one for one, _own in given.values()})
    rows = [(truth[text].class_id, own, pool.get(pk)) for pk, (text, own) in given.items() if text in truth]
    return Avoided(
        labeled=run.verified,
        rows=len(rows),
        pool_right=sum(persons == pools for persons, _own, pools in rows),
        right=sum(persons == own for persons, own, _pools in rows),
    )


_ON_LABEL = ("sample_id", "sample__text_hash", "label_class_id")


def _pool_classes(run: Run, sample_ids: list[int]) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    for low in range(0, len(sample_ids), PART):
        rows = Consensus.objects.filter(run=run, is_current=True, sample_id__in=sample_ids[low : low + PART])
        found |= dict(rows.values_list("sample_id", "label_class_id"))
    return found
