"""Stored answers of real language models, replayed over HTTP: fusing them does not hurt, replacing may."""

import csv

import numpy as np
import pytest

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.fusion import fit_fusion, replace_answers
from annotator_core.consensus.majority import vote_majority
from annotator_core.consensus.opinion import pick_classes
from annotator_core.consensus.warnings import find_warnings
from annotator_core.fakes.openai_answers import find_item
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Outcome, Plan, Price, Question
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Pace

POOL, VERIFIER = ("flan-t5-large", "flan-t5-base", "flan-t5-xl"), "chatgpt"
VERIFIERS = ("chatgpt", "text-davinci-003", "flan-ul2", "text-curie-001")
TASKS = ("llm_votes_emotion", "llm_votes_stance")
WARNINGS = {"verifier_worse", "verifier_unproven"}
HALVES = 20
FREE = Price(0.0, 0.0, 0.0)


def _read(folder, verifier=VERIFIER):
    """The texts, gold (n,), the pool's ballots, the verifier's stored labels by text, and the classes."""
    with (folder / "items.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    with (folder / "votes.csv").open(encoding="utf-8", newline="") as file:
        said = {(row["annotator"], row["item"]): row["label"] for row in csv.DictReader(file)}
    classes = tuple(sorted({row["label"] for row in items}))
    votes = np.array([[classes.index(said[name, row["id"]]) for name in POOL] for row in items])
    gold = np.array([classes.index(row["label"]) for row in items])
    texts = [row["text"] for row in items]
    stored = {row["text"]: said[verifier, row["id"]] for row in items}
    return texts, gold, Ballots.from_votes(votes, len(classes)), stored, classes


def _replay(texts, classes, stored):
    """The class of each text (n,) as the verifier's code gets it over HTTP."""
    plan, answers = Plan(classes), np.full(len(texts), ABSTAIN)
    script = OpenAIScript(lambda messages: stored[find_item(messages)])
    with FakeOpenAI(script) as fake, OpenAIAsker(
        Endpoint(fake.url, "fake-model", None, 30.0, FREE), allow=["127.0.0.1"]
    ) as asker:  # fmt: skip
        questions = [Question(row, text) for row, text in enumerate(texts)]
        for verdict in ask_all(questions, plan, asker, MemoryLedger(), Pace(8), price=FREE):
            assert verdict.outcome is Outcome.ANSWERED
            answers[verdict.question_id] = verdict.class_index
    assert len(script.list_questions()) == len(set(texts))
    return answers


@pytest.fixture(scope="module", params=TASKS)
def measured(request, needs_datasets):
    """The name; for each half: accuracy of the pool, of replacing and of fusing, and whether replacing is warned of."""
    folder = needs_datasets / request.param
    if not folder.is_dir():
        pytest.skip(f"no stored answers: {folder} is not there")
    texts, gold, pool, stored, classes = _read(folder)
    majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
    hard = majority.counts < len(POOL)
    # As in a run: hard rows are asked about, and those by which the fusion is fitted.
    answers = _replay(texts, classes, stored)
    assert [classes[index] for index in answers] == [stored[text] for text in texts]
    return request.param, np.array(
        [_measure(pool, answers, gold, majority.classes, hard, seed) for seed in range(HALVES)]
    )


def _halve(gold, seed):
    return np.random.default_rng(seed).permutation(len(gold)) < len(gold) // 2


def _warn(pool, answers, gold, half):
    """The codes of what the half's gold says of the verifier."""
    found = find_warnings(pool, np.where(half, gold, ABSTAIN), answers=answers)
    return {finding.code for finding in found} & WARNINGS


def _measure(pool, answers, gold, classes, hard, seed):
    half = _halve(gold, seed)
    fusion = fit_fusion(pool.take(half), answers[half], gold[half])
    fused = np.where(hard, pick_classes(fusion.predict(pool, answers)), classes)
    replaced = np.where(hard, replace_answers(classes, answers), classes)
    accuracies = [float(np.mean((each == gold)[~half])) for each in (classes, replaced, fused)]
    return [*accuracies, "verifier_worse" in _warn(pool, answers, gold, half)]


def test_fusing_is_at_most_two_points_below_the_pool(measured):
    _name, found = measured
    pool, _replaced, fused, _warned = found.mean(axis=0)
    assert fused >= pool - 0.02


def test_the_warning_stands_where_replacing_hurts(measured):
    name, found = measured
    pool, replaced, _fused, warned = found.mean(axis=0)
    if name == "llm_votes_emotion":
        assert replaced < pool - 0.05
        assert warned >= 0.9
    else:
        assert replaced > pool + 0.05
        assert warned == 0.0


def _list_halves(folder, verifier):
    """How much replacing helps on all rows; on each half that is measured, beside what the other half warns of."""
    _texts, gold, pool, stored, classes = _read(folder, verifier)
    majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
    answers = np.array([classes.index(label) if label in classes else ABSTAIN for label in stored.values()])
    replaced = np.where(majority.counts < len(POOL), replace_answers(majority.classes, answers), majority.classes)
    gain = (replaced == gold).astype(float) - (majority.classes == gold)
    halves = [_halve(gold, seed) for seed in range(HALVES)]
    return gain.mean(), [(gain[~half].mean(), _warn(pool, answers, gold, half)) for half in halves]


def test_a_warning_stands_in_nearly_every_half_in_which_replacing_hurts(needs_datasets):
    """Of four verifiers on two tasks; one warning at most, and none of what helps clearly."""
    found = {(task, name): _list_halves(needs_datasets / task, name) for task in TASKS for name in VERIFIERS}
    halves = [half for _gain, given in found.values() for half in given]
    assert {len(codes) for _gain, codes in halves} == {0, 1}
    hurt = [bool(codes) for gain, codes in halves if gain < 0]
    assert len(hurt) > HALVES * 4
    assert np.mean(hurt) >= 0.95
    for gain, given in found.values():
        warned = np.mean([bool(codes) for _gain, codes in given])
        assert warned >= 0.95 or gain > 0
        assert warned <= 0.2 or gain < 0.05


def test_fusing_without_gold_is_no_worse_either(needs_datasets):
    for name, least in (("llm_votes_emotion", -0.02), ("llm_votes_stance", 0.0)):
        _texts, gold, pool, stored, classes = _read(needs_datasets / name)
        majority = vote_majority(pool.votes, pool.n_classes, pool.probs)
        hard = majority.counts < len(POOL)
        answers = np.where(hard, [classes.index(label) for label in stored.values()], ABSTAIN)
        unaided = fit_fusion(pool, answers, np.full(len(gold), ABSTAIN)).predict(pool, answers)
        fused = np.where(hard, pick_classes(unaided), majority.classes)
        assert np.mean(fused == gold) >= np.mean(majority.classes == gold) + least
