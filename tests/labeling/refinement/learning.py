"""Runs whose specialists can learn: fakes that err, texts whose answer is known, and rows that are decided."""

from uuid import UUID

from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ItemState, ReviewItem
from labeling.refinement.actions import start_round
from labeling.refinement.models import Trigger
from labeling.runs.actions import start_run
from labeling.runs.models import PolicyName, VoteAhead
from labeling.runs.policies import Policy
from tests.labeling.factories import CLASSES, make_dataset, make_user
from tests.labeling.pool import make_pool, work_off

TEXTS = [f"text number {number}" for number in range(120)]
CHECKED = [f"checked text {number}" for number in range(1_400)]
PAPER = {
    "name": PolicyName.PAPER,
    "vote_ahead": VoteAhead.POOL,
    "is_gated": False,
    "has_frame": False,
    "replay_share": 0.0,
    "renews_accepted": False,
    "beta": 2_000,
}


def answer_to(text):
    """The index of the class that fakes without noise give."""
    return find_answer(text, FakeSettings(labels=CLASSES))


def make_checked(project, texts=CHECKED, answer=answer_to):
    """A data set whose labels came in as verified."""
    dataset = make_dataset(project, texts)
    class_ids = list(project.classes.values_list("id", flat=True))
    rows = [LabelRow(one.pk, class_ids[answer(one.text)]) for one in dataset.samples.all()]
    set_labels(rows=rows, source=LabelSource.IMPORTED)
    return dataset


def start(project, dataset, versions, **policy):
    """A run of the pool, voted to where it waits for people."""
    given = {"min_agree": len(versions), "seed": 7} | policy
    run = start_run(project=project, dataset=dataset, versions=versions, policy=Policy(**given), by=None)
    work_off()
    run.refresh_from_db()
    return run


def decide_most(run, answer=answer_to, *, left=4):
    """A person decides the run's open items but for so many, which keep it in review."""
    user = make_user()
    class_ids = list(run.project.classes.values_list("id", flat=True))
    items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN).select_related("sample").order_by("pk")
    for number, item in enumerate(list(items)[: -left or None]):
        class_id = class_ids[answer(item.sample.text)]
        client_id = UUID(f"{user.pk:016x}{number:016x}")
        decide(item_id=item.pk, project=run.project, user_id=user.pk, class_id=class_id, client_id=client_id)
    run.refresh_from_db()
    return run


def learnable_run(project, folder, *, texts=TEXTS, noise=0.3, learning=0.5, spoils=False, left=4, **policy):
    """A run, nearly decided, of two fakes that get better by learning, or worse."""
    versions = make_pool(project, folder, count=2, noise=noise, learning=learning, spoils=spoils)
    return decide_most(start(project, make_dataset(project, texts), versions, **policy), left=left)


def train_now(run):
    """A round as a manager starts it."""
    return start_round(run=run, trigger=Trigger.MANAGER, by=None)


def finish_round(round_):
    """The round after all its work; what waits for a moment is not waited for."""
    for _try in range(8):
        round_.project.jobs.get(kind="round", subject=round_.pk).chunks.update(not_before=None)
        work_off()
    round_.refresh_from_db()
    return round_
