"""Runs whose pool changes: a start, people who decide, rounds that end, and what happens while a pool computes."""

from threading import Event
from uuid import uuid4

from django.db import transaction

from labeling.jobs.actions import mark_dirty
from labeling.jobs.models import Job, JobState
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem
from labeling.pipeline.work import advance_dirty, do_one
from labeling.refinement.models import RefinementRound, RoundState
from labeling.runs.actions import Scale, open_generation, start_run
from labeling.runs.models import GenerationOrigin, VoteAhead
from labeling.runs.policies import Policy
from labeling.runs.queries import pool_of
from tests.labeling.pool import work_off

QUEUES = ("io", "consensus")
FACTS = ("sample__position", "generation", "is_current", "label_class_id", "score", "route")


def start(project, dataset, versions, **policy):
    given = {"min_agree": len(versions), "seed": 7} | policy
    return start_run(project=project, dataset=dataset, versions=versions, policy=Policy(**given), by=None)


def finish(run):
    """All work but rounds."""
    work_off(QUEUES)
    run.refresh_from_db()
    return run


def next_generation(run, versions, origin=GenerationOrigin.ROUND):
    with transaction.atomic():
        return open_generation(run_id=run.pk, versions=versions, origin=origin)


def single(index, count=3):
    """The state of an aggregator that takes one specialist's word: each index has scores of its own."""
    return {"name": "best_single", "index": index, "n_specialists": count, "n_classes": 3}


def rescale(run, aggregation, cut_score=None):
    """A generation of the same versions that combines votes otherwise, as an audit opens it."""
    run.refresh_from_db()
    versions = [member.version for member in pool_of(run)]
    scale = Scale(aggregation, cut_score)
    with transaction.atomic():
        return open_generation(run_id=run.pk, versions=versions, origin=GenerationOrigin.AUDIT, scale=scale)


def until_chunk(run, stage):
    """Work until a chunk of that stage waits."""
    while not run_job(run).chunks.filter(stage=stage, state="todo").exists():
        assert do_one(QUEUES, "test"), f"no {stage} part came"
    while advance_dirty():
        pass


def do_while(action):
    """Do one part; `action` happens once in the midst of it, while no transaction is open."""
    done = Event()

    def interrupt():
        if not done.is_set():
            done.set()
            action()
        return False

    assert do_one(("consensus",), "test", interrupt)
    assert done.is_set()


def run_job(run):
    return Job.objects.get(kind="run", subject=run.pk)


def open_items(run):
    items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN).select_related("sample")
    return list(items.order_by("priority", "id"))


def answer(run, user, items=None):
    """Decide the items (all open ones) by a rule that the text alone gives."""
    class_ids = sorted(run.project.classes.values_list("id", flat=True))
    for item in open_items(run) if items is None else items:
        class_id = class_ids[int(item.text_hash, 16) % len(class_ids)]
        decide(item_id=item.pk, project=run.project, user_id=user.pk, class_id=class_id, client_id=uuid4())
    run.refresh_from_db()


def end_round(run, versions=None):
    """End the run's round without training; a run that stops at a full pool goes on with the same versions."""
    rounds = RefinementRound.objects.filter(run=run, state=RoundState.TRAINING)
    Job.objects.filter(kind="round", subject__in=rounds.values("pk")).update(state=JobState.DONE, is_dirty=False)
    assert rounds.update(state=RoundState.DONE) == 1
    if versions:
        next_generation(run, versions)
    mark_dirty(kind="run", subject=run.pk)


def facts_of(run):
    """Everything that a repetition must give again: consensus, generations' ends, labels."""
    consensus = Consensus.objects.filter(run=run).order_by("sample__position", "generation").values_list(*FACTS)
    ends = run.generations.order_by("number").values_list("number", "until")
    labels = Label.objects.filter(run=run).order_by("sample__position", "id")
    fields = ("sample__position", "label_class_id", "source", "confidence", "generation", "is_current")
    return list(consensus), list(ends), list(labels.values_list(*fields))


PAPER = {"vote_ahead": VoteAhead.POOL, "is_gated": False, "has_frame": False, "renews_accepted": False}
