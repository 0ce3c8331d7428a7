"""Reads of texts that a run sent to people because of their votes, with the classes that people gave them."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from labeling.labels.models import ItemReason, Label
from labeling.runs.models import Run


@dataclass(frozen=True, slots=True)
class ReviewedText:
    """A text and the class of its label, which a person gave."""

    text_hash: str
    class_id: int


def reviewed_texts(run: Run, most: int) -> list[ReviewedText]:
    """The first texts, at most so many, that people decided for the run and whose labels stand, oldest label first.

    None of the audit frame's, and none that only an audit asked for.
    """
    rows = _standing(run).order_by("id").values_list("sample__text_hash", "label_class_id")
    return [ReviewedText(*row) for row in rows[:most]]


def count_reviewed_texts(run: Run, most: int) -> int:
    """How many these are, counted up to `most`."""
    return _standing(run)[:most].count()


def _standing(run: Run) -> QuerySet[Label]:
    labels = Label.objects.filter(
        is_current=True,
        verdict__item__run=run,
        sample=F("verdict__item__sample"),
        sample__text_hash__gt=run.dataset.frame_until,
    )
    return labels.exclude(verdict__item__reason=ItemReason.AUDIT)
