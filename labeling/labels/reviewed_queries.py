"""Reads of texts that a run sent to people because of their votes, with the classes that people gave them."""

from dataclasses import dataclass

from django.db.models import F

from labeling.labels.models import ItemReason, Label, VerdictMode
from labeling.runs.models import Run


@dataclass(frozen=True, slots=True)
class ReviewedText:
    """A text and the class of its label, which a person gave."""

    text_hash: str
    class_id: int


def reviewed_texts(run: Run, most: int) -> list[ReviewedText]:
    """The last texts, at most so many, that people decided for the run and whose labels stand, oldest label first.

    None of the audit frame's, none that only an audit asked for, and none that were confirmed with others in triage:
    that repeats what the specialists proposed (decision 0038).
    """
    labels = Label.objects.filter(
        is_current=True,
        verdict__item__run=run,
        sample=F("verdict__item__sample"),
        sample__text_hash__gt=run.dataset.frame_until,
    )
    wanted = labels.exclude(verdict__item__reason=ItemReason.AUDIT).exclude(verdict__mode=VerdictMode.BULK)
    rows = list(wanted.order_by("-id").values_list("sample__text_hash", "label_class_id")[:most])
    return [ReviewedText(*row) for row in reversed(rows)]
