"""Anything that may happen to a run with a language model, in any order: its counters and its queue stay true."""

import hashlib
from random import Random

import pytest

from annotator_core.fakes.openai_answers import find_item
from annotator_core.fakes.openai_script import fail
from annotator_core.types import Route
from labeling.labels.chunk_queries import PERSON_SOURCES
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, VerifierAnswer
from labeling.pipeline.work import do_one
from labeling.quality.actions import draw_audit
from labeling.refinement.queries import round_at_work
from labeling.review.actions import release
from labeling.runs.actions import raise_cap
from labeling.runs.models import AnswerUse, Mode, RunState
from tests.labeling.asking import DOLLAR, end_pauses, make_connection, serving, start, store_votes
from tests.labeling.counts import assert_history, recount, recount_verified
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_user
from tests.labeling.generations import PAPER, answer, end_round, open_items
from tests.labeling.pipeline.test_loop_walk import Walk
from tests.labeling.pool import work_off
from tests.labeling.refinement.made_rounds import make_versions

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 45}" for i in range(60)]
SURE = {"schema": "json_schema", "has_logprobs": True}
HUMAN = {"mode": Mode.LLM_THEN_HUMAN}
REPLACE = {"answer_use": AnswerUse.REPLACE}
POLICIES = {
    "fused": {"beta": 8},
    "then-people": HUMAN | {"beta": 8, "random_share": 0.3},
    "budget": HUMAN | REPLACE | {"review_budget": 40, "beta": 6, "sure_from": 0.5},
    "paper": PAPER | REPLACE | {"beta": 6},
}


def say(messages):
    """A class that the text's hash gives, or none of them for one text of seven."""
    digest = hashlib.sha256(find_item(messages).encode()).digest()
    return "none of these" if digest[0] % 7 == 0 else CLASSES[digest[1] % 3]


class AskingWalk(Walk):
    """A run that a language model reviews first, and what may happen to it."""

    server = None

    def step(self):
        more = self.random.choice(["", "", "", "ask_model", "ask_model", "fail", "due", "cap", "audit", "answer_audit"])
        if more:
            getattr(self, more)()
            self.run.refresh_from_db()
        else:
            super().step()

    def ask_model(self):
        for _part in range(self.random.randrange(1, 4)):
            do_one(("io", "verify"), "test")

    def fail(self):
        answers = [fail(429, {"Retry-After": "600"}), fail(401), fail(500)]
        self.server.script.steps.append(self.random.choice(answers))

    def due(self):
        end_pauses()

    def cap(self):
        raise_cap(run=self.run, cap_nano=self.random.choice([1_000_000, DOLLAR]))

    def audit(self):
        if not ReviewItem.objects.filter(reason="audit").exists():
            draw_audit(dataset=self.run.dataset, count=4, by=None)

    def answer_audit(self):
        items = ReviewItem.objects.filter(run=None, reason="audit", state=ItemState.OPEN, leases=None)
        answer(self.run, self.users[0], list(items.order_by("pk")[:2]))

    def wind_up(self):
        """Everything is answered or decided: the run ends."""
        for _round in range(30):
            self.server.script.steps.clear()
            if self.run.state == RunState.PAUSED:
                self.pause()
            raise_cap(run=self.run, cap_nano=DOLLAR)
            self.due()
            work_off(("io", "consensus", "verify"))
            if round_at_work(self.run):
                end_round(self.run, self.pools[0] if self.run.vote_ahead == "pool" else None)
                work_off(("io", "consensus", "verify"))
            for user in self.users:
                release(project=self.run.project, user_id=user.pk)
            audited = ReviewItem.objects.filter(run=None, state=ItemState.OPEN)
            answer(self.run, self.users[0], [*open_items(self.run), *audited])
            work_off(("io", "consensus", "verify"))
            self.run.refresh_from_db()
            if self.run.state == RunState.DONE:
                return
        raise AssertionError(f"the run never ended: {self.run.__dict__}")


def assert_true(run):
    """The counters equal a recount; what waits for a person stands in the queue, and nothing else of the run does."""
    run.refresh_from_db()
    assert (run.voted, run.accepted, run.hard, run.decided) == recount(run)
    assert (run.asking, run.verified) == recount_verified(run)
    assert_history(run)
    rows = Consensus.objects.filter(run=run, is_current=True, route=Route.REVIEW)
    by_person = Label.objects.filter(is_current=True, source__in=PERSON_SOURCES).values("sample_id")
    waiting = set(rows.exclude(sample_id__in=by_person).values_list("sample__text_hash", flat=True))
    items = ReviewItem.objects.filter(state=ItemState.OPEN)
    own = set(items.filter(run=run).values_list("text_hash", flat=True))
    audited = set(items.filter(run=None).values_list("text_hash", flat=True))
    assert own <= waiting | audited
    assert waiting <= own | audited


@pytest.mark.slow
@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(2))
def test_counters_and_queue_stay_true(settings, name, seed):
    settings.CHUNK_ROWS = 13
    random, project, marks = Random(seed), make_project(make_user()), (f"{number:032x}" for number in range(10**6))
    dataset, versions = make_dataset(project, TEXTS), make_versions(project, 9)
    dataset.frame_until = sorted(set(dataset.samples.values_list("text_hash", flat=True)))[8]
    dataset.save()
    pools = [versions[:3], versions[3:6], versions[6:]]
    for pool, noise in zip(pools, (0.3, 0.05, 0.5), strict=True):
        store_votes(dataset, pool, noise=noise)
    with serving(settings, answerer=say) as server:
        connection = make_connection(project, server, capability=SURE, concurrency=2)
        run = start(project, dataset, pools[0], [connection], **POLICIES[name])
        walk = AskingWalk(run, pools, random, marks)
        walk.server = server
        for _step in range(50):
            walk.step()
            assert_true(walk.run)
        walk.wind_up()
        assert_true(walk.run)
    labeled = Label.objects.filter(sample__dataset=dataset, is_current=True).count()
    assert (labeled, walk.run.to_review, walk.run.asking) == (60, 0, 0)
    assert VerifierAnswer.objects.filter(run=run).count() > 0
