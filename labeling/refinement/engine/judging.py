"""A trained challenger meets its champion: candidates, the gate, forgetting; the chosen one goes into the store."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.refine import gate
from annotator_core.storage import report_storage
from labeling.refinement.engine.court import Court
from labeling.refinement.engine.storing import make_manifest, store
from labeling.refinement.engine.training import TORCH
from labeling.refinement.figures import Candidate, GateFigures, Part
from labeling.refinement.models import Challenger, SampleRole
from labeling.refinement.queries import first_rows_round, source_test_of
from labeling.refinement.row_queries import RoundRow, new_hard_hashes, rows_of, source_rows
from labeling.specialists.actions import Made

SHARES = (0.25, 0.5, 0.75, 1.0)  # engine.md, section 8: interpolated with the champion, 0.25-1.0
REPLAY_SLICE = "replay"
CHOSEN, TRIED = "chosen", "tried"

OnCandidate = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of right rows, 0 to 1, of the champion and of what is judged; None where there are no rows."""

    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of a challenger, and the version that was stored. Without a gate only the forgetting."""

    made: Made
    epoch: int
    share: float
    verdict: str
    p_better: float | None
    accuracy: Accuracy
    figures: GateFigures | None
    first_rows: Accuracy
    source: Accuracy


def candidates_of(court: Court) -> list[tuple[int, float]]:
    """(epoch, share of the challenger) of all that the choosing half looks at; without a gate the last epoch whole.

    Only transformers that kept their head can be mixed with their champion.
    """
    epochs = len(court.trained.folders)
    if not court.challenger.round.is_gated:
        return [(epochs, 1.0)]
    is_mixable = court.request.backend == TORCH and not court.request.needs_new_head
    shares = SHARES if is_mixable else SHARES[-1:]
    return [(epoch, share) for epoch in range(1, epochs + 1) for share in shares]


def judge(court: Court, on_candidate: OnCandidate) -> Judgement:
    """The gate's figures for the best candidate, and its version in the store. Raises AnnotatorError's children."""
    candidates = candidates_of(court)
    choose = rows_of(court.challenger.round, [SampleRole.CHOOSE])
    votes = _try_candidates(court, candidates, choose, on_candidate)
    gold = court.gold(choose)
    chosen = gate.choose(votes, gold)
    epoch, share = candidates[chosen]
    tried = tuple(
        Candidate(one, part, int((row == gold).sum())) for (one, part), row in zip(candidates, votes, strict=True)
    )
    folder = _make_candidate(court, epoch, share, CHOSEN)
    result, figures = _meet(court, folder, len(choose), tried)
    manifest = make_manifest(court, (epoch, share), result, figures)
    judgement = Judgement(
        made=store(court, folder, manifest),
        epoch=epoch,
        share=share,
        verdict=result.verdict if result else "",
        p_better=result.p_better if result else None,
        accuracy=Accuracy(result.champion_accuracy, result.challenger_accuracy) if result else Accuracy(),
        figures=figures,
        first_rows=_compare(court, folder, _first_rows(court.challenger)),
        source=_compare(court, folder, _source_rows(court.challenger)),
    )
    _remove(folder)
    return judgement


def _try_candidates(
    court: Court, candidates: Sequence[tuple[int, float]], rows: Sequence[RoundRow], on_candidate: OnCandidate
) -> list[IntArray]:
    """Each candidate's votes (n,) on the choosing rows; its folder goes as soon as it has voted."""
    votes = []
    for number, (epoch, share) in enumerate(candidates, start=1):
        if rows and share < 1:
            folder = _make_candidate(court, epoch, share, TRIED)
            votes.append(court.votes_of(folder, rows))
            _remove(folder)
        else:
            votes.append(court.votes_of(court.trained.folders[epoch - 1], rows))
        on_candidate(number)
    return votes


def _make_candidate(court: Court, epoch: int, share: float, name: str) -> Path:
    from annotator_core.refine.interpolate import interpolate

    folder = court.workplace / name
    _remove(folder)
    return interpolate(court.request.folder, court.trained.folders[epoch - 1], share, folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        with report_storage(f"The folder {folder}"):
            shutil.rmtree(folder)


def _meet(
    court: Court, folder: Path, choose_rows: int, tried: tuple[Candidate, ...]
) -> tuple[gate.GateResult | None, GateFigures | None]:
    """The verdict of the deciding half, nothing without a gate."""
    round_ = court.challenger.round
    if not round_.is_gated:
        return None, None
    rows = rows_of(round_, [SampleRole.DECIDE])
    fresh = new_hard_hashes(round_)
    result = gate.judge(
        court.champion_votes(rows),
        court.votes_of(folder, rows),
        court.gold(rows),
        class_names=court.request.class_names,
        slices={REPLAY_SLICE: np.array([row.text_hash not in fresh for row in rows], dtype=bool)},
        margin=round_.margin,
        p_needed=round_.p_needed,
        seed=court.challenger.seed,
    )
    return result, _figures(result, choose_rows, tried)


def _figures(result: gate.GateResult, choose_rows: int, tried: tuple[Candidate, ...]) -> GateFigures:
    low, high = result.interval
    return GateFigures(
        choose_rows=choose_rows,
        candidates=tried,
        rows=result.rows,
        low=low,
        high=high,
        classes=tuple(_part(change) for change in result.changes),
        slices=tuple(_part(change) for change in result.slice_changes),
        fallen=result.fallen,
    )


def _part(change: gate.Change) -> Part:
    return Part(change.name, change.rows, change.right_before, change.right_after)


def _first_rows(challenger: Challenger) -> list[RoundRow]:
    fixed = first_rows_round(challenger.specialist)
    return rows_of(fixed, [SampleRole.FIRST]) if fixed else []


def _source_rows(challenger: Challenger) -> list[RoundRow]:
    test = source_test_of(challenger.specialist)
    return source_rows(test) if test else []


def _compare(court: Court, folder: Path, rows: Sequence[RoundRow]) -> Accuracy:
    """Accuracy before and after on rows that measure forgetting; classes that the pool does not know are left out."""
    known = [row for row in rows if row.class_id in court.champion.class_ids]
    if not known:
        return Accuracy()
    gold = court.gold(known)
    before, after = court.champion_votes(known) == gold, court.votes_of(folder, known) == gold
    return Accuracy(float(before.mean()), float(after.mean()))
