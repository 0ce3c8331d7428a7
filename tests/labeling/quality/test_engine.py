"""Figures and certificates from arrays, against numbers counted by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.table import fit_aggregator
from annotator_core.contract.certify import confidence_at
from annotator_core.contract.plan import rows_needed
from annotator_core.types import ABSTAIN
from labeling.quality.engine.agreement import agreement
from labeling.quality.engine.race import certificates, race, winner_of
from labeling.quality.engine.shares import (
    accepted_share,
    calibration,
    confusions,
    findings_of,
    overall_share,
    reviewed_share,
    seconds_of,
)
from labeling.quality.engine.sheet import Sheet, Way
from labeling.quality.figures import Second, Share
from labeling.quality.queries import draw_order
from labeling.quality.row_queries import DrawnText, Wholeness, wholeness

MAJORITY = Way(min_agree=3, is_average=False, aggregation=None)
NAMES = ["bad", "fair", "good"]


def make_sheet(rows=400, accuracies=(0.4, 0.7, 0.97), seed=0, **given):
    """Three specialists of these accuracies over three classes, sure of what they say when they are right."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 3, rows)
    votes = np.stack([np.where(rng.random(rows) < share, gold, (gold + 1) % 3) for share in accuracies], axis=1)
    top = np.where(votes == gold[:, None], 0.9, 0.5) + rng.random(votes.shape) * 0.05
    probs = np.repeat((1 - top)[:, :, None] / 2, 3, axis=2)
    np.put_along_axis(probs, votes[:, :, None], top[:, :, None], axis=2)
    values = {
        "ballots": Ballots(votes, probs.astype(np.float32)),
        "gold": gold,
        "is_fit": np.arange(rows) % 3 == 0,
        "is_whole": np.ones(rows, dtype=bool),
        "labels": votes[:, 2],
        "is_model": np.zeros(rows, dtype=bool),
        "is_reviewed": np.zeros(rows, dtype=bool),
        "second": np.full(rows, ABSTAIN),
        "copies": np.ones(rows, dtype=np.int64),
        "hashes": tuple(f"{number:032x}" for number in range(rows)),
    }
    return Sheet(**values | given)


def test_the_race_measures_every_way_and_keeps_the_winners_state():
    found = race(make_sheet(), NAMES, MAJORITY)
    by_name = {row.name: row for row in found.rows}
    assert (len(found.rows), found.why, found.winner) == (7, "log_loss", found.rows[0].name)
    assert (by_name["best_single"].title, by_name["best_single"].accuracy.rows) == ("good", 134)
    assert [row.name for row in found.rows if row.is_in_use] == ["majority"]
    assert json.loads(json.dumps(found.aggregation)) == found.aggregation


@pytest.mark.parametrize(("rows", "why"), [(149, "too_few_rows"), (0, "no_rows")])
def test_too_few_fitting_rows_make_no_race(rows, why):
    found = race(make_sheet(rows=max(rows, 3), is_fit=np.arange(max(rows, 3)) < rows // 3), NAMES, MAJORITY)
    assert (found.rows, found.winner, found.why, found.aggregation) == ((), "", why, None)


def test_dawid_skene_learns_from_texts_without_an_answer():
    """Sixty answers and 2,000 texts without one tell it what 2,060 answers would, nearly; sixty alone do not."""
    truth = make_sheet(rows=2_060, accuracies=(0.45, 0.6, 0.9), seed=3)
    known = np.arange(60)
    own = replace(truth, ballots=truth.ballots.take(known), gold=truth.gold[:60])
    few = replace(own, is_fit=np.ones(60, dtype=bool), is_whole=np.ones(60, dtype=bool))
    many = replace(few, unanswered=truth.ballots.take(np.arange(60, 2_060)))
    loss = {}
    for name, sheet in (("few", few), ("many", many)):
        [row] = [row for row in race(sheet, NAMES, MAJORITY).rows if row.name == "dawid_skene"]
        loss[name] = row.log_loss
        assert row.accuracy.rows == 60
    assert loss["many"] < loss["few"]


def test_an_unfinished_draw_names_a_winner_to_look_at_and_none_to_follow():
    whole, unfinished = (race(make_sheet(is_whole=np.full(400, done)), NAMES, MAJORITY) for done in (True, False))
    assert (unfinished.rows, unfinished.winner, unfinished.aggregation) == (whole.rows, whole.winner, None)
    assert whole.aggregation["name"] == whole.winner


def test_certificates_use_whole_draws_and_certifying_rows_alone():
    whole = np.arange(400) < 300
    found = certificates(make_sheet(is_whole=whole), MAJORITY, [10.0, 1.0], look=1)
    assert [(one.target_error, one.rows_used, one.confidence) for one in found] == [(1, 200, 95), (10, 200, 95)]
    assert certificates(make_sheet(is_whole=~np.ones(400, dtype=bool)), MAJORITY, [10.0], look=1) == []


def test_a_certificate_covers_what_its_threshold_says():
    sheet = make_sheet(rows=1_200)
    way = winner_of(race(sheet, NAMES, MAJORITY), MAJORITY)
    [found] = certificates(sheet, way, [5.0], look=1)
    rows = np.flatnonzero(~sheet.is_fit)
    combined = way.combine(sheet.ballots.take(rows))
    covered = np.round(combined.score.astype(float), 6) >= found.threshold
    assert covered.mean() == pytest.approx(found.accepted_share)
    assert (combined.classes != sheet.gold[rows])[covered].mean() < found.error_bound <= 0.05


def test_the_digest_is_of_what_certificates_rest_on():
    """Answers of whole draws, whatever order they are in, and votes that the winner was fitted to."""
    sheet = make_sheet(rows=40, is_whole=np.arange(40) < 30)
    changed, unfinished = sheet.gold.copy(), sheet.gold.copy()
    changed[[0, 1]], unfinished[35] = (sheet.gold[[0, 1]] + 1) % 3, (sheet.gold[35] + 1) % 3
    turned = replace(sheet, gold=sheet.gold[::-1], is_whole=sheet.is_whole[::-1], hashes=sheet.hashes[::-1])
    assert sheet.digest == turned.digest == replace(sheet, gold=unfinished).digest
    others = ({"gold": changed}, {"unanswered": sheet.ballots}, {"is_whole": ~sheet.is_whole})
    assert len({sheet.digest, *(replace(sheet, **one).digest for one in others)}) == 4


def test_what_is_missing_is_told_in_audited_rows_and_a_second_look_costs_more():
    sheet = make_sheet(rows=120, accuracies=(0.97, 0.97, 0.97))
    way = winner_of(race(sheet, NAMES, MAJORITY), MAJORITY)
    once, again = (certificates(sheet, way, [1.0], look=look)[0] for look in (1, 2))
    assert once.threshold is None
    assert 0 < once.rows_needed < again.rows_needed


@pytest.mark.parametrize("look", [1, 2])
def test_more_answers_are_priced_as_the_next_look_that_they_are(look):
    """60 certifying texts, all right: as many as the next look takes are named, and no fewer."""
    sheet = make_sheet(rows=90, accuracies=(1.0, 1.0, 1.0))
    [found] = certificates(sheet, MAJORITY, [5.0], look=look)
    needed = rows_needed(0.05, 0.0, confidence=1 - (1 - confidence_at(look + 1)) / 2)
    assert (found.rows_used, found.rows_needed) == (60, np.ceil((needed - 60) * 1.5))


def test_an_answer_that_the_pool_does_not_know_is_always_an_error():
    sheet = make_sheet(gold=np.full(400, ABSTAIN), labels=np.full(400, ABSTAIN))
    assert accepted_share(sheet, is_fitted=False) == Share(None, 0.0, 1.0, 0)
    known = make_sheet(gold=np.full(400, ABSTAIN))
    found = accepted_share(known, is_fitted=False)
    assert (found.value, found.rows) == (0.0, 400)
    assert [row.counts for row in confusions(known, [(1, "a"), (2, "b"), (3, "c")], ())] == [((0,) * 4,) * 3] * 3


def test_accepted_labels_weigh_by_their_copies():
    gold, labels = np.array([0, 0, 1, 1]), np.array([0, 1, 1, ABSTAIN])
    ballots = make_sheet(rows=4).ballots
    sheet = make_sheet(
        rows=4, ballots=ballots, gold=gold, labels=labels, copies=np.array([1, 6, 1, 9]), is_fit=np.zeros(4, dtype=bool)
    )
    found = accepted_share(sheet, is_fitted=False)
    assert (found.value, found.rows) == (pytest.approx(2 / 8), 3)


def test_labels_that_know_the_fitting_third_are_measured_on_the_rest():
    """A stacker on votes that say nothing of the truth knows the answers that it has seen, and no others."""
    sheet = make_sheet(rows=90, accuracies=(1 / 3,) * 8, gold=np.random.default_rng(1).integers(0, 3, 90))
    rows = np.flatnonzero(sheet.is_fit)
    fitted = fit_aggregator("stacker", sheet.ballots.take(rows), sheet.gold[rows])
    way = replace(MAJORITY, aggregation=json.loads(json.dumps(fitted.to_state())))
    labeled = replace(sheet, labels=way.combine(sheet.ballots).classes)
    own, all_of_it = (accepted_share(labeled, is_fitted=is_fitted) for is_fitted in (True, False))
    rest = ~sheet.is_fit
    assert (own.value, own.rows) == (pytest.approx(np.mean((labeled.labels == sheet.gold)[rest])), 60)
    assert (all_of_it.value - own.value > 0.1, own.low < 1 / 3 < own.high) == (True, True)
    assert accepted_share(replace(labeled, is_fit=np.ones(90, dtype=bool)), is_fitted=True) == Share(None, 0.0, 1.0, 0)


def test_reviewed_labels_are_measured_where_another_source_has_spoken():
    reviewed, second = np.arange(4) < 3, np.array([0, 1, ABSTAIN, 0])
    sheet = make_sheet(rows=4, gold=np.array([0, 0, 0, 0]), is_reviewed=reviewed, second=second)
    assert (reviewed_share(sheet).value, reviewed_share(sheet).rows) == (0.5, 2)
    assert reviewed_share(make_sheet()) == Share(None, 0.0, 1.0, 0)


def test_all_labels_take_what_nobody_measured_as_right():
    accepted, nothing = Share(0.8, 0.6, 0.9, 100), Share(None, 0.0, 1.0, 0)
    found = overall_share(accepted, nothing, by_machine=300, by_person=100, rows=130)
    assert (found.value, found.low, found.high, found.rows) == pytest.approx((0.85, 0.7, 0.925, 130))
    assert overall_share(nothing, nothing, by_machine=3, by_person=1, rows=0).value is None
    assert overall_share(nothing, nothing, by_machine=0, by_person=5, rows=5).value == 1.0


def test_labels_of_a_second_review_are_told_apart_by_who_gave_them():
    """Of ten texts two are a model's (one wrong, the other in the fitting third), three a person's (one told twice)."""
    gold, second = np.zeros(10, dtype=np.int64), np.array([ABSTAIN] * 2 + [1, 0, ABSTAIN] + [1] * 5)
    is_model, is_reviewed = np.arange(10) < 2, (np.arange(10) > 1) & (np.arange(10) < 5)
    labels = np.array([1, 0] + [ABSTAIN] * 3 + [0] * 5)
    given = {"gold": gold, "second": second, "is_model": is_model, "is_reviewed": is_reviewed, "labels": labels}
    sheet = make_sheet(rows=10, is_fit=np.arange(10) == 1, **given)
    found = seconds_of(sheet, by_model=30, by_person=10, is_fitted=True)
    assert found == (Second("model", 0.75, 1, 1), Second("person", 0.25, 1, 2))
    assert seconds_of(sheet, by_model=30, by_person=0, is_fitted=False) == (Second("model", 1.0, 1, 2),)
    assert seconds_of(sheet, by_model=0, by_person=0, is_fitted=True) == (Second("person", 1.0, 1, 2),)


def test_confusion_counts_abstentions_last():
    votes = np.array([[0, 1, 2], [0, ABSTAIN, 1], [2, 1, ABSTAIN]]).T[:, :3]
    probs = np.full((3, 3, 3), 1 / 3, dtype=np.float32)
    sheet = make_sheet(rows=3, ballots=Ballots(votes, probs), gold=np.array([0, 1, 1]))
    found = confusions(sheet, [(7, "a"), (8, "b"), (9, "c")], ())
    assert found[1].counts == ((1, 0, 0, 0), (0, 1, 0, 1), (0, 0, 0, 0))
    assert [(one.version_id, one.accuracy.rows) for one in found] == [(7, 3), (8, 3), (9, 3)]


def test_a_specialist_at_chance_is_found():
    sheet = make_sheet(accuracies=(1 / 3, 0.8, 0.9))
    found = confusions(sheet, [(1, "a"), (2, "b"), (3, "c")], findings_of(sheet))
    assert [one.is_at_chance for one in found] == [True, False, False]


@pytest.mark.parametrize("seed", range(5))
def test_specialists_are_not_called_at_chance_by_the_hard_texts_that_are_answered_first(seed):
    """Three that are right on 80%: on rows where they differ each is right on little more than half."""
    sheet = make_sheet(rows=3_000, accuracies=(0.8,) * 3, seed=seed)
    rows = np.flatnonzero((sheet.ballots.votes != sheet.ballots.votes[:, :1]).any(axis=1))[:25]
    first = {"ballots": sheet.ballots.take(rows), "gold": sheet.gold[rows], "answers": sheet.gold[rows]}
    unfinished = make_sheet(rows=25, is_whole=np.zeros(25, dtype=bool), **first)
    assert {one.code for one in findings_of(unfinished)} <= {"verifier_worse", "verifier_unproven", "agreed_as_wrong"}


def test_a_specialist_is_judged_by_whole_draws_and_a_language_model_by_every_answer():
    """400 rows of a whole draw, and 400 of one under way on which everybody and the language model are wrong."""
    one, other = make_sheet(accuracies=(1 / 3, 0.8, 0.9)), make_sheet(accuracies=(0.0, 0.0, 0.0))
    votes, probs = (
        np.concatenate([getattr(sheet.ballots, name) for sheet in (one, other)]) for name in ("votes", "probs")
    )
    gold = np.concatenate([one.gold, other.gold])
    given = {"ballots": Ballots(votes, probs), "gold": gold, "answers": (gold + 2) % 3}
    found = findings_of(make_sheet(rows=800, is_whole=np.arange(800) < 400, **given))
    rows = {(finding.code, finding.specialist): finding.rows for finding in found}
    assert rows[("specialist_at_chance", 0)] == 400
    assert [index for code, index in rows if code == "specialist_at_chance"] == [0]
    assert rows[("agreed_as_wrong", None)] == 800


def test_calibration_bins_hold_the_certifying_rows_with_a_class():
    bins, error = calibration(make_sheet(), MAJORITY)
    assert sum(one.rows for one in bins) == 266
    assert error == pytest.approx(sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / 266)
    assert calibration(make_sheet(is_fit=np.ones(400, dtype=bool)), MAJORITY) == ((), None)


@pytest.mark.parametrize(
    ("persons", "why"), [(0, ["one_rater"] * 3), (1, ["one_rater"] * 3), (2, [""] * 3), (3, ["two_raters", "", ""])]
)
def test_agreement_says_why_it_has_no_value(persons, why):
    answers = np.tile(np.arange(30) % 3, (max(persons, 1), 1)).T[:, :persons].astype(np.int64)
    found = agreement(answers)
    assert [one.kind for one in found] == ["cohen", "fleiss", "krippendorff"]
    assert [one.why_not for one in found] == why
    assert {one.value for one in found if not one.why_not} <= {1.0}


def drawn(count, ends):
    """So many texts in the order of the draws; each draw takes the next ones up to its end."""
    hashes = draw_order(1, [f"{number:032x}" for number in range(count)])
    draws = [1 + sum(place >= end for end in ends) for place in range(ends[-1])]
    return hashes, [DrawnText(place, "", hashes[place], True, draw, 1) for place, draw in enumerate(draws)]


def test_a_draw_is_a_sample_when_every_text_up_to_its_end_is_answered():
    hashes, texts = drawn(40, [10, 20, 30])
    first, two = frozenset(hashes[:10]), frozenset(hashes[:20])
    assert wholeness(1, texts, two, hashes[30:]) == Wholeness(two, 0)
    assert wholeness(1, texts, {*hashes[:15], *hashes[16:30]}, hashes[30:]) == Wholeness(first, 0)
    assert wholeness(1, texts, set(hashes[1:]), hashes[30:]) == Wholeness(frozenset(), 0)
    assert wholeness(1, [], (), hashes) == Wholeness(frozenset(), 0)


def test_appended_texts_among_those_of_a_draw_are_missing_until_they_are_drawn_and_answered():
    """Places 3 and 12 were appended after two draws up to 10 and 20; the third takes them and five more."""
    hashes, texts = drawn(40, [10, 20])
    late = {hashes[3], hashes[12]}
    old = [text for text in texts if text.text_hash not in late]
    answered = {text.text_hash for text in old}
    assert wholeness(1, old, answered, {*late, *hashes[20:]}) == Wholeness(frozenset(), 2)
    third = [DrawnText(place, "", hashes[place], True, 3, 1) for place in (3, 12, *range(20, 25))]
    now = [*old, *third]
    assert wholeness(1, now, answered, hashes[25:]) == Wholeness(frozenset(), 0)
    assert wholeness(1, now, answered | {hashes[3]}, hashes[25:]) == Wholeness(frozenset(hashes[:10]), 0)
    assert wholeness(1, now, answered | late, hashes[25:]) == Wholeness(frozenset(hashes[:20]), 0)
    assert wholeness(1, now, set(hashes[:25]), hashes[25:]) == Wholeness(frozenset(hashes[:25]), 0)


def test_a_draw_that_fills_half_of_what_was_appended_certifies_nothing():
    """Its own end lies before that of the first, whose texts are no sample without the rest of the appended ones."""
    hashes, texts = drawn(40, [20])
    late = [hashes[place] for place in (2, 5, 11)]
    old = [text for text in texts if text.text_hash not in late]
    some = [DrawnText(0, "", one, True, 2, 1) for one in late[:2]]
    answered = {text.text_hash for text in (*old, *some)}
    assert wholeness(1, [*old, *some], answered, {late[2], *hashes[20:]}) == Wholeness(frozenset(), 1)
