"""The race: who wins with how many answers, and that order changes nothing."""

import json

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.race import run_race
from annotator_core.consensus.table import AGGREGATORS, restore
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from tests.annotator_core.consensus.made import hide, make_votes, permute


@pytest.mark.parametrize(("n_gold", "winner"), [(0, "majority"), (1, "dawid_skene"), (49, "dawid_skene")])
def test_few_answers_decide_by_rule(n_gold, winner):
    ballots, gold = make_votes(120)
    race = run_race(ballots, np.where(np.arange(120) < n_gold, gold, ABSTAIN))
    assert (race.winner, race.fitted.name) == (winner, winner)
    assert tuple(entry.name for entry in race.entries) == (tuple(AGGREGATORS) if n_gold > 1 else ())


def test_the_lowest_log_loss_wins_and_every_entry_is_measured():
    ballots, gold = make_votes(300)
    race = run_race(ballots, gold)
    assert race.winner == min(race.entries, key=lambda entry: entry.log_loss).name
    assert all(entry.low < entry.accuracy < entry.high for entry in race.entries)
    assert [entry.name for entry in race.entries if entry.title_index is not None] == ["best_single"]
    assert race.fitted.predict(ballots).shape == (300, 3)


def test_one_good_specialist_among_guessers_wins_alone():
    rng = np.random.default_rng(1)
    probs = rng.dirichlet(np.full(3, 0.4), (90, 7))
    gold = (probs[:, 2].cumsum(axis=1) < rng.random(90)[:, None]).sum(axis=1)
    race = run_race(Ballots.from_probs(probs.astype(np.float32)), gold)
    assert (race.winner, race.entries[-1].title_index) == ("best_single", 2)


@pytest.mark.parametrize("seed", range(2))
def test_permuting_rows_and_specialists_changes_nothing(seed):
    ballots, gold = make_votes(160, 4, 3, seed=seed)
    known = hide(gold, 0.6)
    other, other_known, rows, columns = permute(ballots, known, seed=seed)
    one, two = run_race(ballots, known), run_race(other, other_known)
    assert (one.winner, one.why) == (two.winner, two.why)
    for mine, theirs in zip(one.entries, two.entries, strict=True):
        assert (mine.log_loss, mine.accuracy) == (theirs.log_loss, theirs.accuracy)
    assert one.entries[-1].title_index == columns[two.entries[-1].title_index]
    assert np.array_equal(one.fitted.predict(ballots)[rows], two.fitted.predict(other), equal_nan=True)


def test_equal_seeds_give_equal_bytes():
    ballots, gold = make_votes(80)
    one, two = (json.dumps(run_race(ballots, gold, seed=5).fitted.to_state()) for _ in range(2))
    assert one == two


def test_its_winner_comes_back_from_its_state():
    ballots, gold = make_votes(80)
    fitted = run_race(ballots, gold).fitted
    back = restore(json.loads(json.dumps(fitted.to_state())))
    assert back.predict(ballots).tobytes() == fitted.predict(ballots).tobytes()


@pytest.mark.parametrize(
    ("n_gold", "why"),
    [
        (0, "No row is audited yet, so the majority vote decides: it needs none."),
        (12, "12 audited rows are too few for a race, which needs 50: until then Dawid-Skene decides"),
        (60, "predicts the 60 audited rows best when it has not seen them: log-loss"),
    ],
)
def test_why_is_said_in_words(n_gold, why):
    ballots, gold = make_votes(60)
    assert why in run_race(ballots, np.where(np.arange(60) < n_gold, gold, ABSTAIN)).why


def test_impossible_gold_is_refused():
    with pytest.raises(BadInput, match="Gold labels"):
        run_race(make_votes(10)[0], np.full(10, 7))
