"""What a row counts in a training.

A person's label counts in full, one that was confirmed with many others by half, a language model's by its calibrated
confidence.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.models import Label, VerdictMode
from labeling.labels.seed_queries import VERIFIED
from labeling.projects.models import Project
from labeling.quality.models import AuditRow, Third

HUMAN_WEIGHT = 1.0  # engine.md, section 8
BULK_WEIGHT = 0.5
"""Of a label that a person confirmed together with others (VerdictMode.BULK): the person saw what the specialists
propose, which shifts people's answers towards it (arXiv 2507.15821), and looked at it for a moment. Chosen: two such
labels count like one that was given alone. They train and never judge."""
UNKNOWN_CONFIDENCE = 0.8
"""Of an answer whose model does not say how sure it is; chosen, as the confidence from which none needs a person."""
LEAST_WEIGHT = 0.05
"""Chosen: a row that counts less than this costs its time in vain."""
PRIOR_ROWS = 10.0
"""Rows at which the audit is believed as much as the stated confidence; chosen."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How often answers are right for each unit of confidence that is stated: 1 where nothing is known."""

    factor: float = 1.0

    def weigh(self, confidence: float | None) -> float:
        """The weight of a row with this stated confidence, 0.05 to 1."""
        stated = UNKNOWN_CONFIDENCE if confidence is None else confidence
        return round(min(1.0, max(LEAST_WEIGHT, stated * self.factor)), 6)


def weigh_person(mode: str | None) -> float:
    """The weight of a label that a person gave in this mode, or that came in as verified (None)."""
    return BULK_WEIGHT if mode == VerdictMode.BULK else HUMAN_WEIGHT


def confidence_scale(project: Project) -> Scale:
    """The calibration of the project's language models by the fitting third of its audits.

    It is right answers by the sum of stated confidences, drawn to 1 where few rows say so. No certifying row is used.
    """
    fits = AuditRow.objects.filter(
        dataset=OuterRef("sample__dataset"), text_hash=OuterRef("sample__text_hash"), third=Third.FIT
    )
    given = Label.objects.filter(Exists(fits), sample__dataset__project=project, source__in=MACHINE_SOURCES)
    fields = ("sample_id", "label_class_id", "confidence")
    stated = {sample_id: (class_id, sure) for sample_id, class_id, sure in given.order_by("id").values_list(*fields)}
    people = Label.objects.filter(sample__in=given.values("sample"), is_current=True, source__in=VERIFIED)
    right, expected = PRIOR_ROWS, PRIOR_ROWS
    for sample_id, class_id in people.values_list("sample_id", "label_class_id"):
        answer, confidence = stated[sample_id]
        right += answer == class_id
        expected += UNKNOWN_CONFIDENCE if confidence is None else confidence
    return Scale(right / expected)
