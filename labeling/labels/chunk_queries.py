"""Reads of one chunk of votes and consensus, and the search for a budget's cut."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from annotator_core.types import ABSTAIN
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.models import Consensus, Vote
from labeling.runs.models import Run
from labeling.specialists.models import SpecialistVersion

PARAMETERS = 500
PAGE = 10_000
StoredVote = tuple[int, bytes | None, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """The last (score, text hash) that goes to review; score -1 when none does."""

    score: float
    text_hash: str


@dataclass(frozen=True, slots=True)
class ConsensusOnRow:
    """Consensus of one row that has no route yet."""

    sample_id: int
    text_hash: str
    class_id: int | None
    uncertainty: float
    score: float
    confidence: float


def known_votes(version: SpecialistVersion, samples: Sequence[SampleText], dataset_id: int) -> dict[str, StoredVote]:
    """Stored votes of the version on texts equal to a sample's: hash -> (class index or ABSTAIN, probs, reason)."""
    indices = {class_id: index for index, class_id in enumerate(version.class_ids)}
    hashes = [sample.text_hash for sample in samples]
    known: dict[str, StoredVote] = {}
    for start in range(0, len(hashes), PARAMETERS):
        part = Vote.objects.filter(
            version=version, sample__dataset_id=dataset_id, sample__text_hash__in=hashes[start : start + PARAMETERS]
        )
        for text_hash, class_id, blob, reason in part.values_list(
            "sample__text_hash", "label_class_id", "probs", "reason"
        ):
            index = indices.get(class_id, ABSTAIN)
            known[text_hash] = (index, None if blob is None else bytes(blob), reason)
    return known


def consensus_between(run: Run, generation: int, low: int, high: int) -> list[ConsensusOnRow]:
    """Consensus without a route of the rows at positions low to high."""
    rows = Consensus.objects.filter(
        run=run,
        generation=generation,
        route=None,
        sample__dataset_id=run.dataset_id,
        sample__position__gte=low,
        sample__position__lt=high,
    )
    fields = ("sample_id", "sample__text_hash", "label_class_id", "uncertainty", "score", "confidence")
    return [ConsensusOnRow(*row) for row in rows.order_by("sample__position").values_list(*fields)]


def find_cut(run: Run, generation: int, check: Callable[[], None]) -> Cut:
    """The cut of the run's review budget: at most that share of rows, least certain first, equal texts together.

    Rows that nobody voted on count first, for a person must decide them anyway. The first group of equal texts that
    does not fit ends the list.
    """
    rows = Consensus.objects.filter(run=run, generation=generation)
    budget = math.floor((run.review_budget or 0.0) / 100 * run.row_count + 1e-9)
    budget -= rows.filter(label_class=None).count()
    cut = Cut(-1.0, "")
    for (score, text_hash), group in groupby(_by_score(run, generation, check)):
        budget -= sum(1 for _row in group)
        if budget < 0:
            break
        cut = Cut(score, text_hash)
    return cut


def _by_score(run: Run, generation: int, check: Callable[[], None]) -> Iterator[tuple[float, str]]:
    """(score, text hash) of rows with votes, rising; equal scores are sorted here, so that an index does the rest."""
    rows = Consensus.objects.filter(run=run, generation=generation, label_class__isnull=False)
    rows = rows.order_by("score")
    pairs = rows.values_list("score", "sample__text_hash").iterator(PAGE)
    for count, (_score, equal) in enumerate(groupby(pairs, key=lambda pair: pair[0])):
        if count % PAGE == 0:
            check()
        yield from sorted(equal)
