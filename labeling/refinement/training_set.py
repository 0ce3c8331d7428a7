"""Which verified rows a round takes, and for what: drawn by text, so that equal texts stay on one side."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet

from annotator_core.refine.training_set import draw_by_hash, gate_half, replay_count
from annotator_core.types import LabelSource, Route, rank_source
from labeling.datasets.models import Sample
from labeling.labels.models import ItemReason, ItemState, Label, ReviewItem
from labeling.projects.models import Project
from labeling.refinement.models import RoundSample, RoundState, SampleRole
from labeling.runs.models import Run

FIRST_ROWS = 200  # chosen: steady to 3 points, read in seconds
CHOOSE_ROWS = 1_000  # chosen: a dozen candidates vote on them; the deciding half has no limit
VERIFIED = tuple(source.value for source in LabelSource if rank_source(source) >= rank_source(LabelSource.IMPORTED))
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class VerifiedText:
    """A text with its best verified label."""

    label_id: int
    sample_id: int
    text_hash: str
    class_id: int


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row of a round, about to be frozen."""

    sample_id: int
    class_id: int
    role: SampleRole


def draw_rows(run: Run, class_ids: Collection[int], *, seed: int, has_first: bool) -> list[DrawnRow]:
    """The rows of the run's next round by role and text: training, replay, gate, and its first rows where asked for.

    Rows of the audit frame do nothing, gate rows never train, classes that are retired or unknown to the pool are left
    out. The draw depends on the texts, the labels and the seed alone.
    """
    texts = verified_texts(run.project, class_ids)
    frame = frame_hashes(run.project) if run.has_frame else set()
    usable = {text_hash: row for text_hash, row in texts.items() if text_hash not in frame}
    halves = {text_hash: gate_half(text_hash) for text_hash in usable} if run.is_gated else {}
    free = {text_hash: row for text_hash, row in usable.items() if halves.get(text_hash) is None}
    pool = (hard_hashes(run) - taken_hashes(run)) & free.keys()
    drawn_at_random = pool & random_hashes(run)
    count = replay_count(len(pool), run.replay_share)
    chosen = {
        SampleRole.POOL: pool - drawn_at_random,
        SampleRole.RANDOM: drawn_at_random,
        SampleRole.REPLAY: draw_by_hash(free.keys() - pool, count, seed),
        SampleRole.CHOOSE: draw_by_hash((h for h, half in halves.items() if half == "choose"), CHOOSE_ROWS, 0),
        SampleRole.DECIDE: [text_hash for text_hash, half in halves.items() if half == "decide"],
        SampleRole.FIRST: first_hashes(usable.values()) if has_first else [],
    }
    return [
        DrawnRow(usable[text_hash].sample_id, usable[text_hash].class_id, role)
        for role, hashes in chosen.items()
        for text_hash in sorted(hashes)
    ]


def verified_labels(project: Project) -> QuerySet[Label]:
    """Current labels that a person gave or an import brought as verified, in the project's data sets in use."""
    labels = Label.objects.filter(is_current=True, source__in=VERIFIED, label_class__is_retired=False)
    return labels.filter(sample__dataset__project=project, sample__dataset__archived_at=None)


def verified_texts(project: Project, class_ids: Collection[int]) -> dict[str, VerifiedText]:
    """Each verified text of the project by its hash: where it stands twice, the higher source, then the newer label."""
    best: dict[str, tuple[int, VerifiedText]] = {}
    fields = ("id", "sample_id", "sample__text_hash", "label_class_id", "source")
    for *values, source in verified_labels(project).order_by("id").values_list(*fields).iterator(PAGE):
        row, rank = VerifiedText(*values), rank_source(LabelSource(source))
        if row.text_hash not in best or best[row.text_hash][0] <= rank:
            best[row.text_hash] = (rank, row)
    return {text_hash: row for text_hash, (_rank, row) in best.items() if row.class_id in class_ids}


def frame_hashes(project: Project) -> set[str]:
    """The texts of the audit frames of the project's data sets: they never train and never judge."""
    rows = Sample.objects.filter(dataset__project=project, text_hash__lte=F("dataset__frame_until"))
    return set(rows.values_list("text_hash", flat=True).iterator(PAGE))


def hard_hashes(run: Run) -> set[str]:
    """The run's decided hard texts."""
    labels = verified_labels(run.project).filter(
        sample__consensus__run=run, sample__consensus__is_current=True, sample__consensus__route=Route.REVIEW
    )
    return set(labels.values_list("sample__text_hash", flat=True))


def taken_hashes(run: Run) -> set[str]:
    """The texts that earlier rounds of the run have learned from; a round that was given up has learned nothing."""
    roles = (SampleRole.POOL, SampleRole.RANDOM)
    rows = RoundSample.objects.filter(round__run=run, role__in=roles).exclude(round__state=RoundState.CANCELLED)
    return set(rows.values_list("sample__text_hash", flat=True))


def random_hashes(run: Run) -> set[str]:
    """The decided texts that came into the run's queue by chance."""
    items = ReviewItem.objects.filter(run=run, reason=ItemReason.RANDOM, state=ItemState.DECIDED)
    return set(items.values_list("text_hash", flat=True))


def first_hashes(rows: Iterable[VerifiedText]) -> list[str]:
    """The texts that were verified first, none of them a gate row."""
    first = sorted((row for row in rows if gate_half(row.text_hash) is None), key=lambda row: row.label_id)
    return [row.text_hash for row in first[:FIRST_ROWS]]


def derive_seed(seed: int, number: int) -> int:
    """A seed of 31 bits that depends on a seed and a number alone."""
    digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
