"""Reads of a round's frozen rows with their texts, in an order that depends on the texts alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from annotator_core.types import Route
from labeling.datasets.queries import outside_frames
from labeling.labels.models import Consensus, ReviewItem
from labeling.projects.models import LabelClass, Project
from labeling.refinement.models import RefinementRound, RoundSample, SampleRole, SourceTest

SOURCE_ROWS = 1_000  # chosen: steady to 1.5 points
PAGE = 2_000


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A frozen row with its text, or a gold row of a source test."""

    text: str
    text_hash: str
    class_id: int
    weight: float = 1.0


def rows_of(round_: RefinementRound, roles: Sequence[SampleRole]) -> list[RoundRow]:
    """The round's rows of these roles, by text hash."""
    rows = RoundSample.objects.filter(round=round_, role__in=roles).order_by("sample__text_hash", "id")
    fields = ("sample__text", "sample__text_hash", "label_class_id", "weight")
    return [RoundRow(*row) for row in rows.values_list(*fields).iterator(PAGE)]


def hash_rows(round_: RefinementRound) -> str:
    """64 hex characters over every row that trains or judges: its text, class by name, role and weight."""
    digest = hashlib.sha256()
    rows = RoundSample.objects.filter(round=round_).exclude(role=SampleRole.FIRST)
    rows = rows.order_by("role", "sample__text_hash")
    fields = ("role", "sample__text_hash", "label_class__name", "weight")
    for values in rows.values_list(*fields).iterator(PAGE):
        digest.update("\0".join(map(str, values)).encode() + b"\n")
    return digest.hexdigest()


def new_hard_hashes(round_: RefinementRound) -> set[str]:
    """The gate's texts that this round's run sent to review since the last round; the others are its replay slice."""
    gate = (SampleRole.CHOOSE, SampleRole.DECIDE)
    rows = RoundSample.objects.filter(round=round_, role__in=gate)
    items = ReviewItem.objects.filter(run=round_.run_id).values("text_hash")
    earlier = RoundSample.objects.filter(round__run=round_.run_id, round__number__lt=round_.number, role__in=gate)
    asked = Consensus.objects.filter(run=round_.run_id, sample=OuterRef("sample"), is_current=True, route=Route.VERIFY)
    fresh = rows.filter(Q(sample__text_hash__in=items) | Exists(asked)).exclude(
        sample__text_hash__in=earlier.values("sample__text_hash")
    )
    return set(fresh.values_list("sample__text_hash", flat=True))


def source_rows(test: SourceTest) -> list[RoundRow]:
    """The first thousand rows of a source test, outside every audit frame, whose gold value names a class."""
    names = class_ids_by_name(test.dataset.project)
    samples = test.dataset.samples.filter(outside_frames(test.dataset)).exclude(gold="")
    rows = samples.order_by("position").values_list("text", "text_hash", "gold")
    known = ((text, text_hash, names.get(gold.casefold())) for text, text_hash, gold in rows[:SOURCE_ROWS])
    return [RoundRow(text, text_hash, class_id) for text, text_hash, class_id in known if class_id is not None]


def class_ids_by_name(project: Project) -> dict[str, int]:
    """The project's classes by name, whatever the case."""
    return {name.casefold(): pk for pk, name in LabelClass.objects.filter(project=project).values_list("id", "name")}


def class_names(class_ids: Sequence[int]) -> tuple[str, ...]:
    """The names of the classes, in this order."""
    names = dict(LabelClass.objects.filter(pk__in=class_ids).values_list("id", "name"))
    return tuple(names[class_id] for class_id in class_ids)
