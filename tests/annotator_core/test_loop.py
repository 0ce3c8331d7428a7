"""The paper's loop: routes by hand on fakes with keywords, streaming, budgets, verifiers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator_core.annotation import Annotation
from annotator_core.consensus.average import FittedAverage
from annotator_core.errors import BadInput, SpecialistCrashed
from annotator_core.fakes.specialist import FakeSettings, FakeSpecialist
from annotator_core.loop import Observer, Policy, annotate, annotate_windows
from annotator_core.opening import open_specialist
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.types import ABSTAIN, LabelMap, LabelSource, Route

LABELS = ("negative", "neutral", "positive")
SPEC = SpecialistSpec(Path("unused"), LabelMap(LABELS, (0, 1, 2)), 3)


def _fake(name: str, **changes: object) -> FakeSpecialist:
    spec = SpecialistSpec(SPEC.folder, SPEC.label_map, 3, identity=Identity(name))
    return FakeSpecialist(spec, FakeSettings(LABELS, **changes))


def _voters(*words: dict[str, str]) -> list[FakeSpecialist]:
    return [_fake(f"s{i}", seed=i, noise=0.0, keywords=keywords) for i, keywords in enumerate(words)]


AGREE = {"great": "positive", "awful": "negative"}
POOL = _voters(AGREE | {"odd": "positive"}, AGREE | {"odd": "positive"}, AGREE | {"odd": "negative"})
THREE_WAYS = _voters({"x": "positive"}, {"x": "neutral"}, {"x": "negative"})


def _run(texts: list[str], *args: object, **kwargs: object) -> list[Annotation]:
    return list(annotate(iter(texts), *args, **kwargs))


def test_paper_accepts_agreement_and_sends_any_disagreement_to_a_person() -> None:
    agreed, hard = _run(["a great day", "an odd day"], POOL)
    assert (agreed.label, agreed.source, agreed.route) == (2, LabelSource.CONSENSUS, Route.ACCEPT)
    assert agreed.uncertainty == 0.0
    assert 0.5 < agreed.confidence <= 1.0
    assert (hard.label, hard.source, hard.confidence, hard.route) == (ABSTAIN, None, None, Route.REVIEW)
    assert hard.uncertainty == pytest.approx(1 / 3)
    assert [(vote.specialist, vote.class_index) for vote in hard.votes] == [("s0", 2), ("s1", 2), ("s2", 0)]


def test_min_agree_accepts_a_majority_but_never_a_tie() -> None:
    (odd,) = _run(["an odd day"], POOL, None, Policy(min_agree=2))
    (tie,) = _run(["x"], THREE_WAYS, None, Policy(min_agree=1))
    assert (odd.label, odd.route) == (2, Route.ACCEPT)
    assert (tie.label, tie.route) == (ABSTAIN, Route.REVIEW)


def test_min_agree_of_one_more_than_the_pool_sends_everything_to_review() -> None:
    assert _run(["a great day"], POOL, None, Policy(min_agree=4))[0].route is Route.REVIEW


def test_take_majority_fills_in_the_label_and_keeps_the_route() -> None:
    (odd,) = _run(["an odd day"], POOL, None, Policy(take_majority=True))
    assert (odd.label, odd.source, odd.route) == (2, LabelSource.CONSENSUS, Route.REVIEW)


def test_a_row_that_nobody_voted_on_has_no_majority_to_take() -> None:
    (empty,) = _run([""], POOL, None, Policy(take_majority=True))
    assert (empty.label, empty.source, empty.route, empty.uncertainty) == (ABSTAIN, None, Route.REVIEW, 1.0)
    assert {vote.reason for vote in empty.votes} == {"The text is empty."}


def test_the_verifiers_verdict_is_the_label_of_hard_rows_only() -> None:
    asked: list[str] = []

    def verify(texts: list[str]) -> list[int]:
        asked.extend(texts)
        return [1 for _ in texts]

    agreed, hard = _run(["a great day", "an odd day"], POOL, verify)
    assert asked == ["an odd day"]
    assert (agreed.route, agreed.label) == (Route.ACCEPT, 2)
    assert (hard.label, hard.source, hard.confidence, hard.route) == (1, LabelSource.VERIFIER, None, Route.VERIFY)


@pytest.mark.parametrize("answer", [ABSTAIN, 3, -7])
def test_a_verdict_outside_the_classes_goes_to_a_person(answer: int) -> None:
    (hard,) = _run(["an odd day"], POOL, lambda texts: [answer for _ in texts])
    assert (hard.label, hard.source, hard.route) == (ABSTAIN, None, Route.REVIEW)


def test_a_verifier_that_gives_too_few_verdicts_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        _run(["an odd day"], POOL, lambda _: [])


def test_no_texts_give_no_annotations() -> None:
    assert _run([], POOL) == _run([], POOL, None, Policy(budget=0.5)) == []


@pytest.mark.parametrize(
    ("pool", "policy"),
    [
        ([], Policy()),
        (POOL, Policy(min_agree=5)),
        (POOL, Policy(min_agree=0)),
        (POOL, Policy(budget=2)),
        (POOL, Policy(budget=0.1, threshold=0.5)),
    ],
)
def test_a_policy_that_cannot_be_is_refused_before_any_vote(pool: list, policy: Policy) -> None:
    with pytest.raises(BadInput):
        _run(["a"], pool, None, policy)


def test_a_crash_stops_the_run() -> None:
    with pytest.raises(SpecialistCrashed):
        _run(["a"], [_fake("bad", crash_from_call=1)])


def test_annotations_stream_window_by_window() -> None:
    taken = []

    def texts() -> Iterator[str]:
        for number in range(40_000):
            taken.append(number)
            yield f"text {number}"

    assert next(annotate(texts(), [_fake("one")])).text == "text 0"
    assert len(taken) == 16_385


def test_the_observer_hears_of_every_vote_and_prediction() -> None:
    counted, names = [], []
    observer = Observer(
        on_votes=counted.append, on_prediction=lambda name, found: names.append((name, len(found.reasons)))
    )
    _run([f"text {i}" for i in range(700)], POOL, None, Policy(), observer)
    assert sum(counted) == 2_100
    assert names == [("s0", 700), ("s1", 700), ("s2", 700)]


def test_budget_sends_exactly_the_least_certain_rows_and_equal_texts_together() -> None:
    pool = [_fake(f"f{seed}", seed=seed, noise=0.4) for seed in range(3)]
    texts = [f"text {i % 450}" for i in range(500)]
    annotations = _run(texts, pool, None, Policy(budget=0.2))
    hard = {a.text for a in annotations if a.route is Route.REVIEW}
    assert sum(a.route is Route.REVIEW for a in annotations) == 100
    assert hard.isdisjoint(a.text for a in annotations if a.route is Route.ACCEPT)
    assert [a.text for a in annotations] == texts


def test_budget_gives_the_same_votes_and_labels_as_the_stream() -> None:
    pool = [_fake(f"f{seed}", seed=seed, noise=0.3, nan_share=0.1) for seed in range(3)]
    texts = [f"text {i}" for i in range(300)] + ["", "\ud800", "\ud800"]
    everything = _run(texts, pool, None, Policy(min_agree=1, take_majority=True))
    spooled = _run(texts, pool, None, Policy(budget=0.1, take_majority=True))
    assert [(a.label, a.votes, a.uncertainty) for a in spooled] == [
        (a.label, a.votes, a.uncertainty) for a in everything
    ]
    assert [a.route for a in spooled[-3:]] == [Route.REVIEW] * 3


@pytest.mark.parametrize("policy", [Policy(), Policy(budget=0.5)])
def test_a_text_that_is_missing_waits_for_a_person_and_costs_no_other_its_vote(
    classifier_template: Path, policy: Policy
) -> None:
    pool = [*POOL, open_specialist(classifier_template, LABELS)]
    texts = ["a great day", None, float("nan"), np.nan, "", "an odd day"]
    found = _run(texts, pool, None, policy)
    assert [one.text for one in found] == ["a great day", "", "", "", "", "an odd day"]
    assert [{vote.reason for vote in one.votes} for one in found[1:4]] == [{"The text is missing."}] * 3
    assert [one.route for one in found[1:5]] == [Route.REVIEW] * 4
    whole = _run(["a great day", "an odd day"], pool)
    assert [found[row].votes for row in (0, 5)] == [one.votes for one in whole]


def test_a_verifier_is_given_strings_only() -> None:
    asked: list[object] = []
    _run(["an odd day", None, float("nan")], POOL, lambda texts: asked.extend(texts) or [ABSTAIN for _ in texts])
    assert asked == ["an odd day", "", ""]


@settings(max_examples=25)
@given(st.permutations(range(3)), st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_the_order_of_the_pool_changes_no_label(order: list[int], numbers: list[int]) -> None:
    pool = [_fake(f"f{seed}", seed=seed, noise=0.5) for seed in range(3)]
    texts = [f"text {number}" for number in numbers]
    one, other = _run(texts, pool), _run(texts, [pool[i] for i in order])
    assert [(a.label, a.route, a.uncertainty) for a in one] == [(a.label, a.route, a.uncertainty) for a in other]


def test_a_threshold_accepts_by_the_aggregations_score() -> None:
    fitted = FittedAverage(3, 3)
    sure, odd, empty = _run(["a great day", "an odd day", ""], POOL, None, Policy(aggregation=fitted, threshold=0.5))
    assert [one.route for one in (sure, odd, empty)] == [Route.ACCEPT, Route.REVIEW, Route.REVIEW]
    (filled,) = _run(["an odd day"], POOL, None, Policy(aggregation=fitted, threshold=0.5, take_majority=True))
    mean = np.mean([voter.predict(["an odd day"]).probs[0] for voter in POOL], axis=0)
    assert (filled.label, filled.confidence) == (int(mean.argmax()), pytest.approx(float(mean.max())))
    assert filled.route is Route.REVIEW


def test_columns_say_the_same_as_annotations() -> None:
    texts = ["a great day", "an odd day", ""]
    (block,) = annotate_windows([texts], POOL, lambda hard: [1 for _ in hard])
    rows = _run(texts, POOL, lambda hard: [1 for _ in hard])
    assert list(block.iterate()) == rows
    assert (block.labels.tolist(), block.list_routes()) == ([a.label for a in rows], [a.route for a in rows])
    assert [[vote.prob for vote in one.votes] for one in rows] == block.vote_probs.tolist()


def test_fake_folder_fixture_gives_the_same_votes_as_its_settings(fake_folder: Callable[..., Path]) -> None:
    from annotator_core.specialists.table import load_specialist

    loaded = load_specialist("fake", SpecialistSpec(fake_folder(noise=0.3, seed=4), SPEC.label_map, 3))
    assert _run(["a", "b"], [loaded])[0].label == _run(["a", "b"], [_fake("f", noise=0.3, seed=4)])[0].label
