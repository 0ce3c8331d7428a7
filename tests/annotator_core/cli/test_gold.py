"""People's answers in a column: what a fit may see of them, each text once, and what is said of copies."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotator_core.annotation import Ballot
from annotator_core.cli.gold import collect_audit, count_copies, find_span, is_certifying, tell_copies
from annotator_core.cli.policies import PolicyOptions, settle
from annotator_core.cli.tables import open_table
from annotator_core.consensus.table import AGGREGATORS
from annotator_core.types import ABSTAIN
from tests.annotator_core.cli.conftest import Label
from tests.annotator_core.cli.files import write_csv
from tests.annotator_core.consensus.made import make_votes

TEXTS = [f"text {number}" for number in range(240)]
FITTED = ("race", *(name for name in AGGREGATORS if name != "majority"))
CERTIFIES = is_certifying(TEXTS)
FITS = [text for text, certifies in zip(TEXTS, CERTIFIES, strict=True) if not certifies]
OPTIONS = PolicyOptions(
    min_agree=None, budget=None, take_majority=False, aggregator="race", gold_column="gold", target_error=None,
    confidence=0.95, is_anyway=False, seed=0,
)  # fmt: skip
Captured = pytest.CaptureFixture[str]


def _make_ballot(texts: list[str], seed: int = 0) -> tuple[Ballot, np.ndarray]:
    """Return a ballot of three specialists, and the gold."""
    votes, gold = make_votes(len(texts), 3, 3, seed=seed)
    return Ballot(texts, votes.probs, [(None,) * len(texts)] * 3, ["a", "b", "c"]), gold


def _repeat(ballot: Ballot, times: int) -> Ballot:
    copies = [text for text in ballot.texts for _ in range(times)]
    return Ballot(copies, ballot.probs.repeat(times, axis=0), [(None,) * len(copies)] * 3, ballot.names)


@pytest.mark.parametrize("name", FITTED)
def test_copies_of_texts_teach_a_fit_nothing(name: str) -> None:
    ballot, gold = _make_ballot(TEXTS)
    options = replace(OPTIONS, aggregator=name)
    once = settle(options, lambda: [ballot], gold)
    thrice = settle(options, lambda: [_repeat(ballot, 3)], gold.repeat(3))
    assert thrice.told == once.told
    assert thrice.policy.aggregation.to_state() == once.policy.aggregation.to_state()


@pytest.mark.parametrize("name", ["race", "dawid_skene"])
def test_votes_on_certifying_texts_teach_a_fit_nothing(name: str) -> None:
    ballot, gold = _make_ballot(TEXTS)
    # Half of the rows are answered, and one answered text that certifies stands a second time without its answer.
    gold[120:] = ABSTAIN
    hidden = np.flatnonzero(CERTIFIES[:120])
    ballot = replace(ballot, texts=[*TEXTS[:200], TEXTS[hidden[0]], *TEXTS[201:]])
    options = replace(OPTIONS, aggregator=name)
    known = settle(options, lambda: [ballot], gold)
    probs = ballot.probs.copy()
    probs[[*hidden, 200]] = probs[[*hidden, 200]][:, :, ::-1]
    turned = Ballot(ballot.texts, probs, ballot.reasons, ballot.names)
    assert settle(options, lambda: [turned], gold).policy.aggregation.to_state() == known.policy.aggregation.to_state()


@pytest.mark.parametrize("name", FITTED)
def test_where_all_answers_certify_a_fit_sees_nothing_and_still_labels(name: str) -> None:
    ballot, gold = _make_ballot([text for text in TEXTS if text not in FITS])
    audit = collect_audit(lambda: [ballot], gold)
    assert (audit.is_certifying.all(), len(audit.find_fitting().texts)) == (True, 0)
    options = replace(OPTIONS, aggregator=name)
    fitted = settle(options, lambda: [ballot], gold).policy.aggregation
    assert np.isfinite(fitted.predict(audit.ballots)).all()


@pytest.mark.parametrize(
    ("answers", "merged"),
    [([2, ABSTAIN, ABSTAIN], 2), ([1, 2, 2], 2), ([2, 1, ABSTAIN], 1), ([ABSTAIN] * 3, ABSTAIN), ([0, 2, 1], 0)],
)
def test_a_text_fits_once_with_the_commonest_of_its_answers(answers: list[int], merged: int) -> None:
    ballot, _gold = _make_ballot([FITS[0], FITS[1], FITS[0], FITS[0]])
    gold = np.array([answers[0], 1, *answers[1:]])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        turned = Ballot([ballot.texts[row] for row in order], ballot.probs[order], ballot.reasons, ballot.names)
        fitting = collect_audit(lambda turned=turned: [turned], gold[order]).find_fitting()
        assert dict(zip(fitting.texts, fitting.gold.tolist(), strict=True)) == {FITS[0]: merged, FITS[1]: 1}
        assert len(fitting.texts) == len(fitting.ballots) == 2


def test_texts_without_an_answer_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator_core.cli.gold.UNLABELED_MOST", 5)
    ballot, _gold = _make_ballot(TEXTS[:8])
    audit = collect_audit(lambda: [_repeat(ballot, 4)], np.empty(0, dtype=np.int64))
    assert len(audit.texts) == len(set(audit.texts)) == 5
    assert audit.copies.tolist() == [4] * 5


def test_copies_are_counted_in_the_whole_table(tmp_path: Path) -> None:
    table = open_table(write_csv(tmp_path / "t.csv", ["a", "b", "a", "", "c", "a", ""]), "text")
    assert count_copies(table, ["b", "a", "a", ""]).tolist() == [1, 3, 3, 2]


def test_equal_copies_need_no_warning() -> None:
    assert [tell_copies(find_span(np.array(copies))) for copies in ([], [1], [3, 3])] == ["", "", ""]
    assert "stand in the table 1 to 1,200 times" in tell_copies(find_span(np.array([1_200, 1, 7])))


@pytest.mark.parametrize(("copies", "is_warned"), [(1, False), (4, True)])
def test_a_target_error_warns_where_texts_stand_there_unequally_often(
    label: Label, fake_folder: Callable[..., Path], tmp_path: Path, capsys: Captured, copies: int, is_warned: bool
) -> None:
    texts = [*TEXTS, *[TEXTS[CERTIFIES.argmax()]] * (copies - 1)]
    source = write_csv(tmp_path / "in.csv", texts, answer=["neutral"] * 240 + [""] * (copies - 1))
    asked = ["--target-error=1", "--gold-column=answer", "--anyway"]
    assert label(source, tmp_path / "out.csv", *asked) == 0
    told = capsys.readouterr().err
    assert ("the answered texts that certify stand in the table 1 to 4 times" in told) == is_warned
