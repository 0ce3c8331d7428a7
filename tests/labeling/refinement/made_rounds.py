"""Rounds in any state, made by hand: what their pages show depends on rows alone."""

from annotator_core.texts import hash_text
from labeling.jobs.models import Job, JobState
from labeling.refinement.figures import GateFigures, Part
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound, RoundState, Trigger
from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.specialists.models import Source, Specialist, SpecialistState, SpecialistVersion, VersionOrigin
from tests.labeling.factories import make_dataset, make_run

FIGURES = GateFigures(
    choose_rows=130,
    candidates=(),
    rows=140,
    low=-0.012,
    high=0.084,
    classes=(Part("negative", 50, 40, 44), Part("neutral", 40, 30, 24), Part("positive", 50, 40, 45)),
    slices=(Part("replay", 90, 80, 80),),
    fallen=("neutral",),
)


def make_versions(project, count=3):
    """Confirmed versions without files."""
    class_ids = list(project.classes.values_list("id", flat=True))
    return [_add_version(_add_specialist(project, number), class_ids, number=1) for number in range(count)]


def _add_specialist(project, number):
    return Specialist.objects.create(
        project=project,
        name=f"model-{number}",
        source=Source.FOLDER,
        location="/models",
        state=SpecialistState.READY,
        model_labels=["a", "b", "c"],
        weights_hash=f"{project.pk}-{number}",
        size_bytes=1_000_000,
    )


def _add_version(specialist, class_ids, **given):
    values = {"weights_hash": specialist.weights_hash, "max_length": 128, "confirmed_at": specialist.created_at} | given
    return SpecialistVersion.objects.create(
        specialist=specialist, model_labels=specialist.model_labels, targets=class_ids, class_ids=class_ids, **values
    )


def make_pooled_run(project, versions, texts=20, **policy):
    """A run in review whose pool is these versions."""
    run = make_run(make_dataset(project, [f"text {number}" for number in range(texts)]), hard=range(texts // 2))
    _join(PoolGeneration.objects.get(run=run), versions)
    Run.objects.filter(pk=run.pk).update(**{"beta": 1_000} | policy)
    run.refresh_from_db()
    return run


def _join(generation, versions):
    for position, version in enumerate(versions):
        PoolMember.objects.create(generation=generation, version=version, position=position)


def make_round(run, state=RoundState.DONE, **given):
    """A round of the run; its job where it is at work."""
    values = {
        "trigger": Trigger.BETA,
        "seed": 7,
        "epochs": 3,
        "learning_rate": 2e-5,
        "batch_size": 16,
        "generation_before": run.generation,
        "pool_rows": 800,
        "replay_rows": 200,
        "choose_rows": 130,
        "decide_rows": 140,
    } | given
    number = RefinementRound.objects.filter(project=run.project).count() + 1
    round_ = RefinementRound.objects.create(
        project=run.project, run=run, dataset=run.dataset, number=number, state=state, **values
    )
    if round_.is_at_work:
        Job.objects.create(project=run.project, kind="round", subject=round_.pk, state=JobState.RUNNING, is_dirty=False)
    return round_


def make_challenger(round_, champion, state, *, verdict="", **given):
    """A challenger of the champion, with a version of its own where a gate has judged it."""
    version = _make_child(round_, champion, state) if verdict else None
    judged = {"epoch": 3, "share": 0.75, "accuracy_before": 0.8, "accuracy_after": 0.83, "p_better": 0.86}
    values = (judged | {"figures": FIGURES.as_json()} if verdict else {}) | {
        "step": 60,
        "step_count": 60,
        "seconds": 30.0,
        "losses": [[step, 1 / step] for step in range(1, 61)],
    }
    return Challenger.objects.create(
        round=round_,
        position=round_.challengers.count(),
        specialist=champion.specialist,
        champion=champion,
        version=version,
        state=state,
        seed=1,
        verdict=verdict,
        **(values | given),
    )


def _make_child(round_, champion, state):
    is_champion = state == ChallengerState.PROMOTED
    return _add_version(
        champion.specialist,
        champion.class_ids,
        number=champion.specialist.versions.count() + 1,
        weights_hash=hash_text(f"{champion.weights_hash} {round_.number}"),
        parent=champion,
        origin=VersionOrigin.ROUND,
        size_bytes=champion.specialist.size_bytes,
        confirmed_at=round_.created_at if is_champion else None,
    )


def make_done_round(run, versions):
    """A round that promoted the first version and kept the others; returns it and the pool that it left."""
    round_ = make_round(run)
    promoted = make_challenger(
        round_, versions[0], ChallengerState.PROMOTED, verdict="better", first_rows_before=0.8, first_rows_after=0.9
    )
    for version in versions[1:]:
        make_challenger(round_, version, ChallengerState.KEPT, verdict="falls")
    pool = [promoted.version, *versions[1:]]
    open_next(run, round_, pool, taken_off=3)
    return round_, pool


def open_next(run, round_, versions, **given):
    """The generation that the round opened."""
    number = run.generation + 1
    generation = PoolGeneration.objects.create(
        run=run, number=number, origin="round", round_number=round_.number, **given
    )
    _join(generation, versions)
    Run.objects.filter(pk=run.pk).update(generation=number)
    RefinementRound.objects.filter(pk=round_.pk).update(generation_after=number)
    run.refresh_from_db()
    round_.refresh_from_db()


def make_training_round(run, versions):
    """A round at work: one specialist trained, one training, the others waiting."""
    round_ = make_round(run, RoundState.TRAINING)
    states = [ChallengerState.TRAINED, ChallengerState.TRAINING]
    for number, version in enumerate(versions):
        state = states[number] if number < len(states) else ChallengerState.WAITING
        given = {"step": 20, "seconds": 10.0} if state == ChallengerState.TRAINING else {}
        empty = {"step": 0, "step_count": 0, "seconds": 0.0, "losses": []} if state == ChallengerState.WAITING else {}
        make_challenger(round_, version, state, **(given | empty))
    return round_


def make_waiting_round(run, versions):
    """A round that too few rows could judge."""
    round_ = make_round(run, RoundState.WAITING, decide_rows=42)
    for version in versions:
        make_challenger(round_, version, ChallengerState.JUDGED, verdict="too_few")
    return round_
