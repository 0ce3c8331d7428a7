"""The demo's refinement round as people watch it: twenty keys, three specialists learn, the queue gets shorter."""

import pytest

from labeling.jobs.queries import job_of
from labeling.labels.models import Consensus, ReviewItem, Verdict, Vote
from labeling.pipeline.demo import SLUG, build_demo
from labeling.refinement.models import ChallengerState, RefinementRound, RoundState
from labeling.runs.models import RunState
from labeling.specialists.engine import store_folder_of

ROUND_PATIENCE_S = 150


def _decide_until_the_pool_is_full(person, run):
    """Press the key of the gold class until a round starts."""
    keys = dict(run.project.classes.values_list("name", "key"))
    person.open(f"/p/{SLUG}/label")
    for _count in range(run.beta):
        item = ReviewItem.objects.select_related("sample").get(pk=_shown(person))
        person.key(keys[item.sample.gold])
        person.until(lambda item=item: _shown(person) != item.pk)
    # The page sends behind the key: whoever leaves it at once takes the last answer along in the browser.
    person.until(lambda: Verdict.objects.filter(is_current=True).count() == run.beta)


def _shown(person):
    items = person.until(lambda: [one.get_dom_attribute("value") for one in person.all("#screen [name=item]")])
    return int(items[0])


def _watch_round(person):
    """From the first step to the last on a page that is never loaded again; returns the round."""
    person.open(f"/p/{SLUG}/refinement")
    person.press("Round 1")
    person.chrome.execute_script("window.isSamePage = true")
    person.until(lambda: "Training" in person.text() or "At the gate" in person.text() or "Done" in person.text())
    person.until(lambda: RefinementRound.objects.get().state == RoundState.DONE, ROUND_PATIENCE_S)
    person.until(lambda: "Held-out rows that are right" in person.text())
    assert person.chrome.execute_script("return window.isSamePage")
    return RefinementRound.objects.get()


def _check_versions(round_):
    """Each challenger has a whole version and a reason; those that were promoted vote."""
    for challenger in round_.challengers.select_related("version"):
        assert challenger.state in {ChallengerState.PROMOTED, ChallengerState.KEPT}
        assert challenger.verdict in {"better", "not_better", "falls"}
        assert (store_folder_of(challenger.version.weights_hash) / "manifest.json").is_file()
        is_promoted = challenger.state == ChallengerState.PROMOTED
        assert challenger.version.may_vote is is_promoted
        assert Vote.objects.filter(version=challenger.version).exists() is is_promoted


def _check_queue(person, run, hard_before):
    """Open texts were voted on again; what left the queue is told on the run's page."""
    run.refresh_from_db()
    generation = run.generations.get(number=1)
    assert generation.voted_again == hard_before - run.decided
    assert run.hard == hard_before - generation.taken_off
    assert Consensus.objects.filter(run=run, is_current=True, generation=1).count() == generation.voted_again
    assert Verdict.objects.filter(is_current=True).count() == run.beta <= run.decided
    person.open(f"/p/{SLUG}/runs/{run.number}")
    person.read(f"{generation.voted_again} open rows voted again, {generation.taken_off} left the queue.")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_learns_from_twenty_decisions(person, staff):
    run = build_demo(owner=staff, say=lambda _line: None)
    person.open(f"/p/{SLUG}/runs/{run.number}")
    person.read("In review")
    run.refresh_from_db()
    assert run.state == RunState.REVIEWING
    hard_before = run.hard
    _decide_until_the_pool_is_full(person, run)
    round_ = _watch_round(person)
    assert round_.pool_rows <= run.beta
    assert round_.challengers.filter(state=ChallengerState.PROMOTED).exists(), "docs/demo.md says that some usually are"
    person.until(lambda: job_of("run", run.pk).stage == "revote" and job_of("run", run.pk).is_over)
    _check_versions(round_)
    _check_queue(person, run, hard_before)
