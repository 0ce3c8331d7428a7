"""A round as people see it: start it, try it again, give it up."""

from collections import Counter
from collections.abc import Collection, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.jobs.actions import open_job, retry_dead, set_state
from labeling.jobs.models import JobState
from labeling.projects.models import Project
from labeling.refinement.actions.decisions import follow_round
from labeling.refinement.actions.locks import KIND, lock_job_of, lock_round, lock_run
from labeling.refinement.models import (
    TRAINING_ROLES,
    Challenger,
    ChallengerState,
    RefinementRound,
    RoundSample,
    RoundState,
    SampleRole,
    Trigger,
)
from labeling.refinement.queries import first_rows_round, next_round_number, round_at_work
from labeling.refinement.training_set import DrawnRow, derive_seed, draw_rows
from labeling.runs.actions import take_pool
from labeling.runs.models import PolicyName, PoolMember, Run
from labeling.runs.queries import pool_of
from labeling.web.bulk import insert_rows
from labeling.web.errors import ActionError

SAMPLE_FIELDS = ("round_id", "sample_id", "label_class_id", "role", "weight")
GIVEN_UP = (ChallengerState.WAITING, ChallengerState.TRAINING, ChallengerState.TRAINED)


def start_round(*, run: Run, trigger: Trigger, by: User | None) -> RefinementRound:
    """A round with its rows frozen, its challengers and its job; the run's pool is taken.

    Raises ActionError when a round is at work, the run is over, or nothing new was decided. A full pool of rows that
    may not train starts a round without challengers, which ends at once.
    """
    try:
        with transaction.atomic():
            locked = lock_run(run.pk)
            _check_run(locked)
            round_ = _freeze(locked, trigger, by)
            take_pool(run_id=locked.pk)
            open_job(project_id=locked.project_id, kind=KIND, subject=round_.pk)
    except IntegrityError as error:
        raise ActionError(_("Another round was started at the same moment. Look at the list of rounds.")) from error
    run.learned = locked.reviewed
    return round_


def _check_run(run: Run) -> None:
    if not run.is_active:
        raise ActionError(_("This run is over: its specialists learn in the next one."))
    at_work = round_at_work(run)
    if at_work:
        raise ActionError(
            _("Round %(number)d is at work. Wait for it, or give it up first.") % {"number": at_work.number}
        )
    if not run.pool_size:
        raise ActionError(_("Nothing was decided since the last round, so there is nothing to learn."))


def _freeze(run: Run, trigger: Trigger, by: User | None) -> RefinementRound:
    members = pool_of(run)
    _check_pool(members)
    seed = derive_seed(run.seed, RefinementRound.objects.filter(run=run).count() + 1)
    class_ids = set.intersection(*(set(member.version.class_ids) for member in members))
    has_first = any(first_rows_round(member.version.specialist) is None for member in members)
    rows = draw_rows(run, class_ids, seed=seed, has_first=has_first)
    counts = Counter(row.role for row in rows)
    is_empty = not counts[SampleRole.POOL] + counts[SampleRole.RANDOM]
    if is_empty and trigger != Trigger.BETA:
        raise ActionError(
            _("All rows decided since the last round are held out for the gate or the audit. Decide some more.")
        )
    round_ = _create_round(run, trigger, by, seed, counts, rows)
    if not is_empty:
        insert_rows(RoundSample, SAMPLE_FIELDS, [_sample_row(round_, row) for row in rows])
        _add_challengers(round_, members)
    return round_


def _check_pool(members: Sequence[PoolMember]) -> None:
    pruned = next((member.version for member in members if member.version.pruned_at), None)
    if pruned:
        raise ActionError(_("The weights of %(name)s were removed, so it cannot learn.") % {"name": pruned})


def _create_round(
    run: Run,
    trigger: Trigger,
    by: User | None,
    seed: int,
    counts: Counter[SampleRole],
    rows: Sequence[DrawnRow],
) -> RefinementRound:
    # One number at a time: a round that another run's took it from would not begin, and its run might wait for ever.
    Project.objects.select_for_update(no_key=True).get(pk=run.project_id)
    return RefinementRound.objects.create(
        project=run.project,
        number=next_round_number(run.project),
        run=run,
        dataset=run.dataset,
        trigger=trigger,
        seed=seed,
        epochs=run.epochs,
        learning_rate=run.learning_rate,
        batch_size=run.batch_size,
        is_gated=run.is_gated,
        generation_before=run.generation,
        pool_rows=counts[SampleRole.POOL],
        random_rows=counts[SampleRole.RANDOM],
        replay_rows=counts[SampleRole.REPLAY],
        choose_rows=counts[SampleRole.CHOOSE],
        decide_rows=counts[SampleRole.DECIDE],
        verifier_rows=_count_by_model(rows, TRAINING_ROLES),
        verifier_gate_rows=_count_by_model(rows, (SampleRole.CHOOSE, SampleRole.DECIDE)),
        created_by=by,
    )


def _count_by_model(rows: Sequence[DrawnRow], roles: Collection[SampleRole]) -> int:
    """How many of the rows in these roles carry a language model's label."""
    return sum(row.role in roles and not row.is_by_person for row in rows)


def _sample_row(round_: RefinementRound, row: DrawnRow) -> tuple[object, ...]:
    return round_.pk, row.sample_id, row.class_id, row.role.value, row.weight


def _add_challengers(round_: RefinementRound, members: Sequence[PoolMember]) -> None:
    """One a pool member. The paper trains in fp32; what is best otherwise is measured before the training begins."""
    is_paper = round_.run is not None and round_.run.policy == PolicyName.PAPER
    for position, member in enumerate(members):
        Challenger.objects.create(
            round=round_,
            position=position,
            specialist=member.version.specialist,
            champion=member.version,
            precision="fp32" if is_paper else "",
            seed=derive_seed(round_.seed, position),
        )


def retry_round(*, round_: RefinementRound) -> None:
    """Give a failed round's dead parts another chance. Raises ActionError for a round that has not failed."""
    with transaction.atomic():
        job = lock_job_of(round_)
        locked = lock_round(round_.pk)
        if job is None or locked.state != RoundState.FAILED:
            raise ActionError(_("Only a round that has failed can be tried again."))
        is_trained = job.stage == "gate"
        locked.state = RoundState.JUDGING if is_trained else RoundState.TRAINING
        locked.error, locked.finished_at = "", None
        locked.save(update_fields=["state", "error", "finished_at"])
        state = ChallengerState.TRAINED if is_trained else ChallengerState.WAITING
        locked.challengers.filter(state=ChallengerState.FAILED).update(state=state, error="")
        retry_dead(job=job)


def give_up_round(*, round_: RefinementRound) -> None:
    """End a round that is at work without a promotion: the champions stay, and a run that waited for it goes on.

    Its rows belong to the hard pool again, and the next round takes them. Raises ActionError for a round that is over.
    """
    with transaction.atomic():
        job = lock_job_of(round_)
        run = lock_run(round_.run_id) if round_.run_id else None
        locked = lock_round(round_.pk)
        if not locked.is_at_work:
            raise ActionError(_("This round is over already."))
        locked.state, locked.finished_at = RoundState.CANCELLED, timezone.now()
        locked.save(update_fields=["state", "finished_at"])
        locked.challengers.filter(state=ChallengerState.JUDGED).update(state=ChallengerState.KEPT)
        locked.challengers.filter(state__in=GIVEN_UP).update(state=ChallengerState.FAILED, error=_("Given up."))
        if job and not job.is_over:
            set_state(job=job, state=JobState.CANCELLED)
        if run:
            follow_round(run=run, round_=locked, versions={})
