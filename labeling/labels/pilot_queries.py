"""Reads for a pilot: which rows language models are asked about before a run, and what is known of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotator_core.types import Route
from labeling.datasets.models import Dataset, Sample
from labeling.datasets.queries import outside_frames
from labeling.labels.chunk_queries import PARAMETERS, PERSON_SOURCES
from labeling.labels.models import Consensus, ItemReason, Label, ReviewItem
from labeling.projects.models import LabelClass
from labeling.runs.models import LlmPilot, Mode, Run

LOOKED_AT = 20_000
"""Rows of the data set that are looked at for hard ones; chosen: where one in a hundred is hard, 200 are found."""
KNOWN_ROWS = 5_000
HARD = (Route.VERIFY, Route.REVIEW)
BY_PEOPLE_ALONE = Q(run=None) | Q(run__mode=Mode.HUMAN)
"""In a run with a language model people label the rows that it was not sure of: these would say too little of it."""


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row that is asked about: what the pool says of it, None without votes, and its class where one is known."""

    sample_id: int
    text_hash: str
    generation: int
    pool_class_id: int | None
    pool_confidence: float | None
    known_class_id: int | None


def draw_rows(pilot: LlmPilot, class_ids: Sequence[int]) -> list[DrawnRow]:
    """Rows of different texts outside every audit frame, at most as many as the pilot wants; seeded by it.

    Hard rows of the pilot's run, those that a person has answered first; without a run random rows. The known class is
    a person's, else the gold column's where it names one of the classes.
    """
    random = Random(pilot.pk)  # noqa: S311 (seeded, so that a part that is done again draws the same)
    found: dict[str, DrawnRow] = {}
    for part in _candidates(pilot, random):
        for row in _rows_among(pilot, part, class_ids):
            if len(found) < pilot.wanted:
                found.setdefault(row.text_hash, row)
        if len(found) >= pilot.wanted:
            break
    return list(found.values())


def _candidates(pilot: LlmPilot, random: Random) -> Iterator[list[int]]:
    """Ids of samples in parts, in a random order: answered hard ones, then any."""
    if pilot.run is not None:
        answered = list(_answered_hard(pilot.run, pilot.dataset))
        random.shuffle(answered)
        yield from _parts(answered)
    count = pilot.dataset.row_count
    for positions in _parts(random.sample(range(count), min(count, LOOKED_AT))):
        ids = dict(_outside(pilot.dataset, positions).values_list("position", "id"))
        yield [ids[position] for position in positions if position in ids]


def _answered_hard(run: Run, dataset: Dataset) -> Iterator[int]:
    labels = Label.objects.filter(BY_PEOPLE_ALONE, is_current=True, source__in=PERSON_SOURCES, sample__dataset=dataset)
    hard = _hard(run)
    rows = labels.filter(outside_frames(dataset, "sample__"), sample__in=hard.values("sample"))
    yield from rows.order_by("-id").values_list("sample_id", flat=True)[:KNOWN_ROWS]


def _hard(run: Run) -> QuerySet[Consensus]:
    """Hard rows of the run, without the accepted ones that people see because they were drawn at random."""
    drawn = ReviewItem.objects.filter(run=run, reason=ItemReason.RANDOM, text_hash=OuterRef("sample__text_hash"))
    return Consensus.objects.filter(~Exists(drawn), run=run, is_current=True, route__in=HARD)


def _outside(dataset: Dataset, positions: Sequence[int]) -> QuerySet[Sample]:
    return Sample.objects.filter(outside_frames(dataset), dataset=dataset, position__in=positions)


def _rows_among(pilot: LlmPilot, sample_ids: Sequence[int], class_ids: Sequence[int]) -> list[DrawnRow]:
    """Those of the samples that may be asked about, in their order."""
    known = _known_classes(sample_ids, class_ids)
    places = {sample_id: place for place, sample_id in enumerate(sample_ids)}
    if pilot.run is None:
        samples = Sample.objects.filter(pk__in=sample_ids).values_list("id", "text_hash")
        rows = [DrawnRow(pk, text_hash, 0, None, None, known.get(pk)) for pk, text_hash in samples]
    else:
        hard = _hard(pilot.run).filter(sample__in=sample_ids)
        fields = ("sample_id", "sample__text_hash", "generation", "label_class_id", "confidence")
        rows = [
            DrawnRow(pk, text_hash, generation, class_id, confidence, known.get(pk))
            for pk, text_hash, generation, class_id, confidence in hard.values_list(*fields)
        ]
    return sorted(rows, key=lambda row: places[row.sample_id])


def _known_classes(sample_ids: Sequence[int], class_ids: Sequence[int]) -> dict[int, int]:
    names = dict(LabelClass.objects.filter(pk__in=class_ids).values_list("name", "id"))
    by_name = {name.strip().casefold(): pk for name, pk in names.items()}
    golds = Sample.objects.filter(pk__in=sample_ids).exclude(gold="").values_list("id", "gold")
    found = {pk: by_name[gold.strip().casefold()] for pk, gold in golds if gold.strip().casefold() in by_name}
    labels = Label.objects.filter(BY_PEOPLE_ALONE, is_current=True, source__in=PERSON_SOURCES, sample__in=sample_ids)
    return found | dict(labels.filter(label_class__in=list(class_ids)).values_list("sample_id", "label_class_id"))


def _parts(items: Sequence[int]) -> Iterator[list[int]]:
    for low in range(0, len(items), PARAMETERS):
        yield list(items[low : low + PARAMETERS])
