"""Reads about audits and assessments: what is drawn, what is answered, what is left to draw, what was measured."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from labeling.datasets.models import Dataset, Sample
from labeling.labels.audit_queries import blind_answers, waiting_hashes
from labeling.projects.models import Project
from labeling.quality.models import Assessment, Audit, AuditRow, Certificate
from labeling.runs.models import GenerationOrigin, PoolGeneration, Run


@dataclass(frozen=True, slots=True)
class AuditProgress:
    """How far a data set's audit is, in different texts: drawn, answered, in the queue, and left in the frame.

    `answered_at`: when each of the answers was given, in no order.
    """

    drawn: int
    answered: int
    waiting: int
    left: int
    answered_at: tuple[datetime, ...]


def has_audit(dataset_id: int) -> bool:
    """Whether any text of the data set was drawn."""
    return AuditRow.objects.filter(dataset=dataset_id).exists()


def audits_of(dataset: Dataset) -> list[Audit]:
    """The data set's draws, newest first."""
    return list(Audit.objects.filter(dataset=dataset).select_related("created_by"))


def drawn_hashes(dataset_id: int) -> set[str]:
    """The texts of the data set that were drawn."""
    return set(AuditRow.objects.filter(dataset=dataset_id).values_list("text_hash", flat=True))


def audited_hashes(project: Project) -> set[str]:
    """The texts that were drawn from any data set of the project: they train nobody, whatever a run's policy says."""
    return set(AuditRow.objects.filter(dataset__project=project).values_list("text_hash", flat=True))


def audit_progress(dataset: Dataset) -> AuditProgress:
    """How far the data set's audit is: a few statements, and the frame's part of an index."""
    drawn = drawn_hashes(dataset.pk)
    answers = blind_answers(dataset.pk, drawn)
    waiting = waiting_hashes(dataset.pk, drawn - answers.keys())
    left, times = len(set(frame_texts(dataset)) - drawn), tuple(one.created_at for one in answers.values())
    return AuditProgress(len(drawn), len(answers), len(waiting), left, times)


Look = tuple[int, int, int, str]
"""What a certificate rests on: run, first generation of the versions, certifying texts, digest of what was known.

Another one is another look: also other answers on as many texts.
"""


def looks_at(dataset_id: int) -> set[Look]:
    """The looks that certificates on this data set's audit were given at."""
    seen = Certificate.objects.filter(assessment__run__dataset=dataset_id)
    fields = ("assessment__run_id", "assessment__generation", "rows_used", "assessment__digest")
    found = list(seen.values_list(*fields).distinct())
    brought = _generations_brought({run_id for run_id, *_rest in found})
    return {(run_id, _first(brought[run_id], number), rows, digest) for run_id, number, rows, digest in found}


def next_look(dataset_id: int) -> int:
    """The number, from 1, of the look that more answers to this data set's audit will be."""
    return len(looks_at(dataset_id)) + 1


def first_generation(run_id: int, number: int) -> int:
    """The generation that brought the versions of generation `number`: an audit changes how they are combined only."""
    return _first(_generations_brought({run_id})[run_id], number)


def _first(brought: Collection[int], number: int) -> int:
    return max((one for one in brought if one <= number), default=0)


def _generations_brought(run_ids: Collection[int]) -> dict[int, list[int]]:
    """By run, the generations that brought versions."""
    found: dict[int, list[int]] = {run_id: [] for run_id in run_ids}
    brought = PoolGeneration.objects.filter(run__in=run_ids).exclude(origin=GenerationOrigin.AUDIT)
    for run_id, number in brought.values_list("run_id", "number"):
        found[run_id].append(number)
    return found


def frame_texts(dataset: Dataset, *, below: int | None = None) -> list[str]:
    """The hashes of the audit frame, each once, in their order; of rows at positions below `below` (all that count)."""
    if not dataset.frame_until:
        return []
    counted = dataset.row_count if below is None else below
    rows = Sample.objects.filter(dataset=dataset, text_hash__lte=dataset.frame_until, position__lt=counted)
    return list(rows.order_by("text_hash").values_list("text_hash", flat=True).distinct())


def draw_order(dataset_id: int, hashes: Collection[str]) -> list[str]:
    """The texts in the order in which audits of the data set draw them: random, and the same at every time.

    All draws together are so the first texts of this order, which is a uniform sample. When texts are added, they
    come in between the others.
    """
    key = f"draw {dataset_id}".encode()
    return sorted(hashes, key=lambda one: hashlib.blake2b(one.encode(), digest_size=16, key=key).digest())


def newest_assessment(run: Run) -> Assessment | None:
    """What the audit said of the run last."""
    return Assessment.objects.filter(run=run).first()
