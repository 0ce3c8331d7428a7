"""Which verified rows a round takes, and for what: drawn by text, so that equal texts stay on one side."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, QuerySet

from annotator_core.refine.training_set import draw_by_hash, gate_half, replay_count
from annotator_core.types import LabelSource, Route, rank_source
from labeling.datasets.models import Sample
from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, ReviewItem, VerdictMode
from labeling.projects.models import Project
from labeling.quality.queries import audited_hashes
from labeling.refinement.models import RoundSample, RoundState, SampleRole
from labeling.refinement.weights import HUMAN_WEIGHT, confidence_scale, weigh_person
from labeling.runs.models import Mode, Run

FIRST_ROWS = 200  # chosen: steady to 3 points, read in seconds
CHOOSE_ROWS = 1_000  # chosen: a dozen candidates vote on them; the deciding half has no limit
VERIFIED = tuple(source.value for source in LabelSource if rank_source(source) >= rank_source(LabelSource.IMPORTED))
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class VerifiedText:
    """A text with its best verified label; `weight` (0 to 1) is its share in a training.

    `may_judge` says whether it may stand at the gate: not where a person confirmed, with others, what the specialists
    had proposed, for such a label speaks for the champion.
    """

    label_id: int
    sample_id: int
    text_hash: str
    class_id: int
    weight: float = HUMAN_WEIGHT
    is_by_person: bool = True
    may_judge: bool = True


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row of a round, about to be frozen."""

    sample_id: int
    class_id: int
    role: SampleRole
    weight: float = HUMAN_WEIGHT
    is_by_person: bool = True


def draw_rows(run: Run, class_ids: Collection[int], *, seed: int, has_first: bool) -> list[DrawnRow]:
    """The rows of the run's next round by role and text: training, replay, gate, and its first rows where asked for.

    Rows of the audit frame do nothing (without a frame: rows that an audit drew all the same), gate rows never train,
    classes that are retired or unknown to the pool are left out. The draw depends on texts, labels and seed alone.

    In a run with a language model texts that it labeled, and no person, train by its confidence. They judge only where
    no person reviews; elsewhere a text that the gate would take waits for a person. Texts that were confirmed with
    others train by half and never judge.
    """
    texts = verified_texts(run.project, class_ids)
    if run.has_verifier:
        texts = answered_texts(run.project, class_ids) | texts
    frame = frame_hashes(run.project) if run.has_frame else audited_hashes(run.project)
    usable = {text_hash: row for text_hash, row in texts.items() if text_hash not in frame}
    halves = {text_hash: gate_half(text_hash) for text_hash in usable} if run.is_gated else {}
    free = {text_hash: row for text_hash, row in usable.items() if halves.get(text_hash) is None}
    judging = {h: half for h, half in halves.items() if _may_judge(run, usable[h])}
    pool = (hard_hashes(run) - taken_hashes(run)) & free.keys()
    drawn_at_random = pool & random_hashes(run)
    count = replay_count(len(pool), run.replay_share)
    chosen = {
        SampleRole.POOL: pool - drawn_at_random,
        SampleRole.RANDOM: drawn_at_random,
        SampleRole.REPLAY: draw_by_hash(free.keys() - pool, count, seed),
        SampleRole.CHOOSE: draw_by_hash((h for h, half in judging.items() if half == "choose"), CHOOSE_ROWS, 0),
        SampleRole.DECIDE: [text_hash for text_hash, half in judging.items() if half == "decide"],
        SampleRole.FIRST: first_hashes(row for row in usable.values() if _may_judge(run, row)) if has_first else [],
    }
    return [_drawn(usable[text_hash], role) for role, hashes in chosen.items() for text_hash in sorted(hashes)]


def _may_judge(run: Run, row: VerifiedText) -> bool:
    return row.may_judge and (row.is_by_person or run.mode == Mode.LLM)


def _drawn(row: VerifiedText, role: SampleRole) -> DrawnRow:
    return DrawnRow(row.sample_id, row.class_id, role, row.weight, row.is_by_person)


def verified_labels(project: Project) -> QuerySet[Label]:
    """Current labels that a person gave or an import brought as verified, in the project's data sets in use."""
    labels = Label.objects.filter(is_current=True, source__in=VERIFIED, label_class__is_retired=False)
    return labels.filter(sample__dataset__project=project, sample__dataset__archived_at=None)


def verified_texts(project: Project, class_ids: Collection[int]) -> dict[str, VerifiedText]:
    """Each verified text of the project by its hash: where it stands twice, the higher source, then the newer label.

    Of the same source a label that was given alone goes before one that was confirmed with others.
    """
    best: dict[str, tuple[tuple[int, bool], VerifiedText]] = {}
    fields = ("id", "sample_id", "sample__text_hash", "label_class_id", "source", "verdict__mode")
    labels = verified_labels(project).order_by("id").values_list(*fields)
    for pk, sample_id, text_hash, class_id, source, mode in labels.iterator(PAGE):
        is_alone = mode != VerdictMode.BULK
        row = VerifiedText(pk, sample_id, text_hash, class_id, weigh_person(mode), may_judge=is_alone)
        rank = (rank_source(LabelSource(source)), is_alone)
        if row.text_hash not in best or best[row.text_hash][0] <= rank:
            best[row.text_hash] = (rank, row)
    return {text_hash: row for text_hash, (_rank, row) in best.items() if row.class_id in class_ids}


def answered_texts(project: Project, class_ids: Collection[int]) -> dict[str, VerifiedText]:
    """Each text of the project whose current label rests on a language model's answer, by its hash: the newest one."""
    scale = confidence_scale(project)
    found: dict[str, VerifiedText] = {}
    labels = answered_labels(project).filter(label_class__in=list(class_ids)).order_by("id")
    fields = ("id", "sample_id", "sample__text_hash", "label_class_id", "confidence")
    for pk, sample_id, text_hash, class_id, confidence in labels.values_list(*fields).iterator(PAGE):
        weight = scale.weigh(confidence)
        found[text_hash] = VerifiedText(pk, sample_id, text_hash, class_id, weight, is_by_person=False)
    return found


def answered_labels(project: Project) -> QuerySet[Label]:
    """Current labels that rest on a language model's answer, in the project's data sets in use."""
    labels = Label.objects.filter(is_current=True, source__in=MACHINE_SOURCES, label_class__is_retired=False)
    return labels.filter(sample__dataset__project=project, sample__dataset__archived_at=None)


def frame_hashes(project: Project) -> set[str]:
    """The texts of the audit frames of the project's data sets: they never train and never judge."""
    rows = Sample.objects.filter(dataset__project=project, text_hash__lte=F("dataset__frame_until"))
    return set(rows.values_list("text_hash", flat=True).iterator(PAGE))


def hard_hashes(run: Run) -> set[str]:
    """The run's hard texts that a person has decided, or its language model answered."""
    hard = Consensus.objects.filter(run=run, is_current=True, route__in=(Route.REVIEW, Route.VERIFY))
    hashes = set[str]()
    for labels in (verified_labels(run.project), answered_labels(run.project).filter(run=run)):
        reviewed = hard.filter(Exists(labels.filter(sample=OuterRef("sample"))))
        hashes.update(reviewed.values_list("sample__text_hash", flat=True))
    return hashes


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
