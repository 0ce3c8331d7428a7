"""Several people on each text, who disagree, flag, undo and settle while the pool changes: counters stay true."""

from random import Random
from uuid import UUID

import pytest

from labeling.labels.actions import adjudicate, assign, decide, deescalate, escalate, reopen, settle_overlap, undo
from labeling.labels.actions.judging import crowd_of, standing_of
from labeling.labels.models import Escalation, ItemState, Label, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project, Role
from labeling.refinement.queries import round_at_work
from labeling.review.actions import release
from labeling.runs.actions import resume_run
from labeling.runs.models import RunState
from tests.labeling.asking import store_votes
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.generations import PAPER, end_round, finish, open_items, start
from tests.labeling.pipeline.test_loop_walk import Walk
from tests.labeling.refinement.made_rounds import make_versions

pytestmark = pytest.mark.django_db
POLICIES = {
    "mix": {"beta": 8, "random_share": 0.3},
    "budget": {"review_budget": 30, "beta": 6},
    "paper": PAPER | {"beta": 6},
}
PEOPLE_STEPS = ["differ"] * 6 + ["settle"] * 2 + ["undo_one"] * 3
PEOPLE_STEPS += ["correct", "flag", "unflag", "overlap", "send", "assign"]


class ManyPeople(Walk):
    """A run whose texts several people answer."""

    def __init__(self, run, pools, random, marks):
        super().__init__(run, pools, random, marks)
        self.users.append(make_user())
        for user in self.users:
            add_member(run.project, user, Role.REVIEWER)

    def step(self):
        if self.random.random() < 0.5:
            self.attempt(self.random.choice(PEOPLE_STEPS))
        else:
            super().step()

    def any(self, **conditions):
        """Two of the run's items, chosen by the walk's own dice."""
        items = list(ReviewItem.objects.filter(run=self.run, **conditions).order_by("text_hash"))
        return self.random.sample(items, min(2, len(items)))

    def answer_of(self, item, **given):
        """One class mostly, so that people agree more often than not."""
        classes = list(self.run.project.classes.order_by("position"))
        chosen = classes[0] if self.random.random() < 0.6 else classes[1]
        user = self.random.choice(self.users)
        return {
            "project": self.run.project,
            "item_id": item.pk,
            "user_id": user.pk,
            "class_id": chosen.pk,
            "client_id": next(self.marks),
        } | given

    def differ(self):
        for item in self.any(state=ItemState.OPEN):
            for user in self.random.sample(self.users, 2):
                decide(**self.answer_of(item, user_id=user.pk))

    def settle(self):
        for item in self.any(state=ItemState.OPEN, escalation__gt=""):
            adjudicate(**self.answer_of(item))

    def correct(self):
        for item in self.any()[:1]:
            adjudicate(**self.answer_of(item, corrects=True))

    def flag(self):
        for item in self.any(state=ItemState.OPEN)[:1]:
            why = self.random.choice([Escalation.FLAGGED, Escalation.SKIPPED])
            escalate(project=self.run.project, item_id=item.pk, why=why)

    def unflag(self):
        for item in self.any(escalation__in=("flagged", "skipped")):
            why, user = Escalation(item.escalation), self.random.choice(self.users)
            deescalate(project=self.run.project, item_id=item.pk, why=why, user_id=user.pk)

    def overlap(self):
        Project.objects.filter(pk=self.run.project_id).update(overlap=self.random.choice([1, 2, 2, 3]))
        settle_overlap(project=self.run.project)

    def send(self):
        for item in self.any():
            to = self.random.choice([None, *(user.pk for user in self.users)])
            reopen(project=self.run.project, item_id=item.pk, to=to)

    def assign(self):
        for item in self.any(state=ItemState.OPEN)[:1]:
            to = self.random.choice([None, self.users[0].pk])
            assign(project=self.run.project, item_id=item.pk, to=to)

    def undo_one(self):
        user = self.random.choice(self.users)
        given = Verdict.objects.filter(user=user, is_current=True, is_undo=False).order_by("created_at", "pk")
        for verdict in list(given)[:1]:
            project = self.run.project
            undo(project=project, user_id=user.pk, client_id=next(self.marks), of=verdict.client_id)

    def wind_up(self):
        """Everybody answers everything, and reviewers settle the rest: the run ends."""
        for _round in range(30):
            if self.run.state == RunState.PAUSED:
                resume_run(run=self.run)
            if round_at_work(self.run):
                end_round(self.run, self.pools[0] if self.run.vote_ahead == "pool" else None)
                finish(self.run)
            for user in self.users:
                release(project=self.run.project, user_id=user.pk)
            self.answer_all()
            if finish(self.run).state == RunState.DONE:
                return
        raise AssertionError(f"the run never ended: {self.run.__dict__}")

    def answer_all(self):
        for item in open_items(self.run):
            for user in self.users:
                decide(**self.answer_of(item, user_id=user.pk))
            item.refresh_from_db()
            if item.state == ItemState.OPEN:
                adjudicate(**self.answer_of(item, corrects=True))


def assert_judged(run):
    """Every item stands where its answers put it."""
    for item in ReviewItem.objects.filter(run=run).prefetch_related("verdicts__labels"):
        verdicts = list(item.verdicts.all())
        standing = standing_of(verdicts)
        assert item.state == ItemState.DECIDED or item.answered_by == crowd_of(standing.people)
        carriers = {one.pk for one in verdicts if any(not label.is_retracted for label in one.labels.all())}
        if item.state == ItemState.DECIDED:
            assert (item.escalation, item.assignee_id) == ("", None)
            assert max(carriers) == (standing.adjudication or standing.own[-1]).pk
        elif item.state == ItemState.OPEN:
            assert (standing.adjudication, carriers) == (None, set())
            assert item.escalation != "" or len(standing.own) < item.needed
            assert item.escalation != Escalation.CONFLICT or standing.is_split


@pytest.mark.parametrize("name", POLICIES)
def test_counters_and_queue_stay_true_with_many_people(settings, name):
    settings.CHUNK_ROWS = 13
    random, project, marks = Random(5), make_project(make_user()), (UUID(int=number) for number in range(10**6))
    Project.objects.filter(pk=project.pk).update(overlap=2)
    dataset, versions = make_dataset(project, [f"text number {i % 30}" for i in range(36)]), make_versions(project, 9)
    pools = [versions[:3], versions[3:6], versions[6:]]
    for pool, noise in zip(pools, (0.3, 0.05, 0.5), strict=True):
        store_votes(dataset, pool, noise=noise)
    walk = ManyPeople(start(project, dataset, pools[0], **POLICIES[name]), pools, random, marks)
    for _part in range(5):
        walk.attempt("work")
    for _step in range(40):
        walk.step()
        assert_counters_equal_recount(walk.run)
        assert_judged(walk.run)
    walk.wind_up()
    assert_counters_equal_recount(walk.run)
    assert_judged(walk.run)
    labeled = Label.objects.filter(sample__dataset=dataset, is_current=True).count()
    assert (labeled, walk.run.to_review) == (36, 0)
    given = Verdict.objects.filter(mode=VerdictMode.ADJUDICATED, escalation=Escalation.CONFLICT)
    assert min(given.count(), Verdict.objects.filter(is_undo=True).count()) > 0
