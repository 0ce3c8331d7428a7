"""Anything that may happen to a run, in any order: its counters and its queue stay true."""

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from labeling.labels.actions import reopen, undo
from labeling.labels.models import ItemState, Label, ReviewItem
from labeling.pipeline.work import do_one
from labeling.refinement.queries import round_at_work
from labeling.review.actions import claim, release
from labeling.runs.actions import ask_renewal, pause_run, resume_run
from labeling.runs.models import RunState
from labeling.web.errors import ActionError
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import PAPER, answer, end_round, finish, next_generation, open_items, start
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 45}" for i in range(60)]
POLICIES = (
    {"beta": 8},
    {"beta": 8, "random_share": 0.3},
    {"review_budget": 40, "beta": 6},
    PAPER | {"beta": 6},
    PAPER | {"beta": 6, "renews_accepted": True},
)


@pytest.fixture(scope="module")
def marks():
    return (f"{number:032x}" for number in range(10**6))


class Walk:
    """A run and what may happen to it."""

    def __init__(self, run, pools, random, marks):
        self.run, self.pools, self.random, self.marks = run, pools, random, marks
        self.users = [make_user(), make_user()]

    def step(self):
        name = self.random.choice(
            ["work"] * 6 + ["answer"] * 4 + ["undo", "reopen", "generation", "screen", "leave", "ask", "pause", "late"]
        )
        self.attempt(name)

    def attempt(self, name):
        """What is refused changes nothing."""
        with suppress(ActionError):
            getattr(self, name)()
        self.run.refresh_from_db()

    def work(self):
        for _part in range(self.random.randrange(1, 4)):
            do_one(("io", "consensus"), "test")

    def answer(self):
        held = {lease.item_id for user in self.users for lease in user.leases.all()}
        items = [item for item in open_items(self.run) if item.pk not in held]
        answer(self.run, self.random.choice(self.users), items[: self.random.randrange(1, 5)])
        self.end()

    def end(self):
        if round_at_work(self.run) and self.random.random() < 0.5:
            end_round(self.run, self.random.choice(self.pools))

    def late(self):
        """An answer to a text that was taken off the queue meanwhile."""
        off = ReviewItem.objects.filter(run=self.run, state=ItemState.WITHDRAWN).order_by("pk")
        answer(self.run, self.users[0], list(off[:1]))

    def undo(self):
        user = self.random.choice(self.users)
        undo(project=self.run.project, user_id=user.pk, client_id=next(self.marks))

    def reopen(self):
        decided = ReviewItem.objects.filter(run=self.run, state=ItemState.DECIDED).order_by("pk")
        for item in decided[:1]:
            reopen(project=self.run.project, item_id=item.pk)

    def generation(self):
        next_generation(self.run, self.random.choice(self.pools))

    def screen(self):
        claim(project=self.run.project, user_id=self.random.choice(self.users).pk, n=2)

    def leave(self):
        user = self.random.choice(self.users)
        user.leases.filter(pk__gt=0).update(expires_at=timezone.now() - timedelta(seconds=1))

    def ask(self):
        ask_renewal(run=self.run)

    def pause(self):
        resume_run(run=self.run) if self.run.state == RunState.PAUSED else pause_run(run=self.run)

    def wind_up(self):
        """Everything is decided: the run ends, and every row has its label."""
        for _round in range(30):
            if self.run.state == RunState.PAUSED:
                resume_run(run=self.run)
            if round_at_work(self.run):
                end_round(self.run, self.pools[0] if self.run.vote_ahead == "pool" else None)
                finish(self.run)
            for user in self.users:
                release(project=self.run.project, user_id=user.pk)
            answer(self.run, self.users[0])
            if finish(self.run).state == RunState.DONE:
                return
        raise AssertionError(f"the run never ended: {self.run.__dict__}")


@pytest.mark.parametrize("policy", POLICIES, ids=("all", "mix", "budget", "paper", "paper-renewed"))
@pytest.mark.parametrize("seed", range(3))
def test_counters_and_queue_stay_true(tmp_path, settings, marks, policy, seed):
    settings.CHUNK_ROWS = 13
    random, project = Random(seed), make_project(make_user())
    pools = [make_pool(project, tmp_path, name=f"p{i}", noise=noise) for i, noise in enumerate((0.3, 0.05, 0.5))]
    walk = Walk(start(project, make_dataset(project, TEXTS), pools[0], **policy), pools, random, marks)
    for _step in range(40):
        walk.step()
        assert_counters_equal_recount(walk.run)
    walk.wind_up()
    assert_counters_equal_recount(walk.run)
    labeled = Label.objects.filter(sample__dataset=walk.run.dataset, is_current=True).count()
    assert (labeled, walk.run.to_review) == (60, 0)
