"""Voting again after a generation was opened: open texts ahead of the people, accepted rows least certain first."""

from dataclasses import replace

from labeling.jobs.actions import Claim, finishing
from labeling.labels.actions.renewal import record_renewal, record_revote
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.chunk_queries import rows_to_renew, rows_to_revote
from labeling.pipeline.ballots import Answers, ask_pool, count_answers
from labeling.pipeline.hand import Hand
from labeling.pipeline.routing import is_below
from labeling.runs.actions import lock_run
from labeling.runs.models import Run
from labeling.runs.queries import highest_cut


def revote(claim: Claim, hand: Hand) -> None:
    """The newest pool votes on the next open texts; those that are not hard any more leave the queue."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    answers = ask_pool(run, run.generation, rows_to_revote(run, claim.high - claim.low), hand)
    rows, votes = _judged(run, answers), answers.votes()
    with finishing(claim) as job:
        record_revote(run=lock_run(run.pk), generation=run.generation, votes=votes, rows=rows)
        count_answers(answers, {row.sample_id for row in rows})
        job.progress += len(rows)


def _judged(run: Run, answers: Answers) -> list[ConsensusRow]:
    """Under a budget a text is still hard where its new score is not above the highest cut that sent texts to review.

    A renewal's own cut is no measure: it says how far the rest of the budget went, which may be nowhere. Nor is any
    cut of another aggregation: on a new scale every text stays until the cut over all rows has been found.
    """
    if run.review_budget is None:
        return list(answers.rows)
    border = highest_cut(run)
    return [replace(row, is_hard=border is None or is_below(row, border)) for row in answers.rows]


def renew(claim: Claim, hand: Hand) -> None:
    """The newest pool votes on the next accepted rows, which get new labels or go to review."""
    run = Run.objects.select_related("dataset").get(pk=claim.subject)
    answers = ask_pool(run, run.generation, rows_to_renew(run, claim.high - claim.low), hand)
    votes = answers.votes()
    with finishing(claim) as job:
        stored = record_renewal(run=lock_run(run.pk), generation=run.generation, votes=votes, rows=answers.rows)
        count_answers(answers, stored)
        job.progress += len(answers.rows)
