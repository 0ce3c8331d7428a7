"""The rules of a standalone script, each beside the engine's own on made votes."""

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.calibration import Calibrated, Calibration
from annotator_core.consensus.table import AGGREGATORS, fit_aggregator
from annotator_core.errors import BadModelFolder
from annotator_core.linear.features import Featurizer
from annotator_core.linear.model import write_linear
from annotator_core.loop import form_opinion
from annotator_core.routing import hard_by_agreement, hard_by_budget
from annotator_core.scripts.standalone.aggregators import predict
from annotator_core.scripts.standalone.linear import predict_linear
from annotator_core.scripts.standalone.routes import find_hard, form
from annotator_core.scripts.standalone.table import NOTHING, Verdict, read_table, read_verdicts
from annotator_core.scripts.standalone.transformer import find_length
from annotator_core.scripts.standalone.values import Ballots as OwnBallots
from annotator_core.scripts.standalone.values import Refused, Voter, hash_text
from annotator_core.specialists.config import find_max_length, read_json
from annotator_core.spool import find_groups
from annotator_core.texts import hash_text as hash_by_engine
from tests.annotator_core.consensus.made import make_votes
from tests.annotator_core.linear.conftest import TEXTS, make_model

RULES = {"min_agree": 3, "combine": "majority", "aggregation": None, "budget": None, "cut": None, "threshold": None}
PLAN = RULES | {"classes": ("a", "b", "c"), "score_digits": None}


def _own(ballots: Ballots) -> OwnBallots:
    return OwnBallots(ballots.votes, ballots.probs)


@pytest.mark.parametrize("name", AGGREGATORS)
@pytest.mark.parametrize("calibration", ["none", "temperature", "isotonic"])
def test_every_aggregator_gives_the_engines_numbers(name, calibration):
    ballots, gold = make_votes(300, seed=1)
    knots = np.array([[0.3, 0.6, 0.9], [0.2, 0.7, 0.95]]) if calibration == "isotonic" else np.empty((2, 0))
    heat = 2.0 if calibration == "temperature" else 1.0
    fitted = Calibrated(fit_aggregator(name, ballots, gold), Calibration(calibration, heat, knots))
    unseen, _gold = make_votes(200, seed=2, abstain=0.4)
    np.testing.assert_array_equal(predict(fitted.to_state(), _own(unseen)), fitted.predict(unseen))


def test_an_aggregator_of_another_pool_is_refused():
    state = fit_aggregator("average", *make_votes(10)).to_state()
    with pytest.raises(Refused, match="fitted on"):
        predict(state, _own(make_votes(10, m=2)[0]))
    with pytest.raises(Refused, match="knows no aggregator"):
        predict(state | {"name": "other"}, _own(make_votes(10)[0]))


@pytest.mark.parametrize("min_agree", [1, 2, 3, 4])
def test_agreement_is_the_engines(min_agree):
    ballots, _gold = make_votes(400, abstain=0.3)
    formed = form(PLAN | {"min_agree": min_agree}, _own(ballots))
    expected, majority = form_opinion(ballots.probs)
    np.testing.assert_array_equal(formed.classes, expected.classes)
    np.testing.assert_array_equal(formed.uncertainty, majority.uncertainty)
    np.testing.assert_allclose(formed.score, expected.score, atol=1e-7)
    hard = hard_by_agreement(majority.counts, majority.is_tie, min_agree)
    np.testing.assert_array_equal(find_hard(PLAN, formed, [""] * 400), hard)


@pytest.mark.parametrize("budget", [0.0, 0.1, 0.5, 1.0])
def test_a_budget_is_the_engines(budget):
    ballots, _gold = make_votes(300, abstain=0.4)
    texts = [f"text {row % 250}" for row in range(300)]
    plan = PLAN | {"budget": budget}
    formed = form(plan, _own(ballots))
    expected = hard_by_budget(formed.score.astype(np.float32), find_groups(texts), budget, unvoted=formed.classes == -1)
    np.testing.assert_array_equal(find_hard(plan, formed, texts), expected)


def test_a_budget_takes_equal_scores_in_the_engines_order():
    texts = [f"text {row % 25}" for row in range(60)]
    votes = np.zeros((60, 3), dtype=np.int64)
    probs = np.full((60, 3, 3), 0.25, dtype=np.float32)
    probs[:, :, 0] = 0.5
    formed = form(PLAN, OwnBallots(votes, probs))
    expected = hard_by_budget(formed.score.astype(np.float32), find_groups(texts), 0.3)
    assert 0 < expected.sum() <= 18
    np.testing.assert_array_equal(find_hard(PLAN | {"budget": 0.3}, formed, texts), expected)
    turned = find_hard(PLAN | {"budget": 0.3}, formed, texts[::-1])
    assert turned[::-1].tolist() == expected.tolist()


def test_a_cut_takes_equal_scores_by_their_texts_hash():
    ballots, _gold = make_votes(50, abstain=0.0)
    texts = [f"text {row}" for row in range(50)]
    formed = form(PLAN | {"score_digits": 6}, _own(ballots))
    pairs = sorted(zip(formed.score.tolist(), map(hash_by_engine, texts), strict=True))
    hard = find_hard(PLAN | {"cut": list(pairs[9])}, formed, texts)
    assert hard.sum() == 10
    assert hash_text("\ud800") == ""


def test_a_threshold_accepts_what_reaches_it():
    formed = form(PLAN, _own(make_votes(50, abstain=0.6)[0]))
    hard = find_hard(PLAN | {"threshold": 0.5}, formed, [""] * 50)
    np.testing.assert_array_equal(hard, (formed.score < 0.5) | (formed.classes == -1))


def test_a_linear_model_gives_the_engines_logits(tmp_path):
    model = make_model()
    folder = write_linear(model, tmp_path / "linear")
    voter = Voter("l", "linear", str(folder), "", "", "", model.labels, (0, 1, 2), None)
    features = Featurizer(model.blocks, model.terms, model.idf).transform(TEXTS)
    expected = features @ model.weights.coef.T.astype(np.float64) + model.weights.intercept.astype(np.float64)
    np.testing.assert_allclose(predict_linear(voter, folder, TEXTS), expected.astype(np.float32), atol=1e-6)


def test_the_length_of_a_text_is_the_engines(classifier):
    config, tokenizer = read_json(classifier / "config.json"), read_json(classifier / "tokenizer_config.json")
    assert find_length(classifier) == find_max_length(config, tokenizer) == 32
    (classifier / "tokenizer_config.json").unlink()
    assert find_length(classifier) == find_max_length(config, {})
    with pytest.raises(BadModelFolder):
        read_json(classifier / "tokenizer_config.json")


def _read(tmp_path, *lines, text_column="text"):
    path = tmp_path / "verdicts.csv"
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    return read_verdicts(path, ("a", "b"), text_column)


def test_a_plain_file_of_verdicts_is_what_a_verifier_said(tmp_path):
    found = _read(tmp_path, "text,label,route", "fine,b,review", "late,,")
    assert found == {"fine": Verdict(1, "verdict", "verify")}


def test_verdicts_are_read_from_an_export_too(tmp_path):
    export = tmp_path / "export.csv"
    export.write_text("order,review,label,label_source\n1,fine,b,human\n2,late,,\n", encoding="utf-8-sig")
    assert read_verdicts(export, ("a", "b"), "review") == {"fine": Verdict(1, "human", "review")}
    with pytest.raises(Refused, match="no column 'text'"):
        read_verdicts(export, ("a", "b"))


@pytest.mark.parametrize(("route", "sources"), [("verify", "verifier fused"), ("review", "human adjudicated imported")])
def test_who_decided_gives_the_route_where_the_export_names_none(tmp_path, route, sources):
    for source in sources.split():
        assert _read(tmp_path, "text,label,label_source", f"fine,b,{source}") == {"fine": Verdict(1, source, route)}


def test_the_route_of_an_export_counts_and_the_specialists_own_labels_do_not(tmp_path):
    """A person may have answered a row of an audit that the model was asked about all the same."""
    agreed = ("agreed,a,consensus,accept", "again,b,consensus,verify")
    lines = ("seen,a,human,verify", *agreed, "asked,,,verify", "waits,,,review")
    asked = Verdict(-1, "", "verify")
    assert _read(tmp_path, "text,label,label_source,route", *lines) == {
        "seen": Verdict(0, "human", "verify"),
        "asked": asked,
        "again": asked,
    }
    assert Verdict(-1, "", "review") == NOTHING


def test_an_uploaded_column_of_the_same_name_is_no_verdict(tmp_path):
    found = _read(tmp_path, "text,label,route,aa_label,label_source,aa_route", "fine,strange,north,a,human,review")
    assert found == {"fine": Verdict(0, "human", "review")}


@pytest.mark.parametrize(("cells", "texts"), [(("'-1", "''=x"), ["-1", "'=x"]), (("-1", "'=x"), ["-1", "'=x"])])
def test_the_formula_guard_of_an_export_is_taken_off_and_a_raw_one_left(tmp_path, cells, texts):
    assert list(_read(tmp_path, "text,label,label_source", *(f"{cell},a,human" for cell in cells))) == texts


def test_a_crooked_table_and_a_strange_verdict_are_refused(tmp_path):
    (tmp_path / "crooked.csv").write_text("text,label\na\n", encoding="utf-8")
    with pytest.raises(Refused, match="row 2 has 1 cells"):
        read_table(tmp_path / "crooked.csv")
    (tmp_path / "strange.csv").write_text("text,label\na,maybe\nb,\n", encoding="utf-8")
    with pytest.raises(Refused, match="'maybe' is none of the classes"):
        read_verdicts(tmp_path / "strange.csv", ("a", "b"))
