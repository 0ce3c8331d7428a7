from contextlib import ExitStack
from dataclasses import replace
from math import isnan, sqrt

import numpy as np
import pytest

from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.reproduce.asked_tables import tell_consulted, write_asked, write_consulted
from annotator_core.reproduce.asking import ask_models
from annotator_core.reproduce.consulted import Consulted, Replies, measure_policies, stack_classes, vote_models
from annotator_core.reproduce.measure import Reviewers
from annotator_core.reproduce.policy_tables import over_seeds, write_table_three
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.study import Settings, study_sets
from annotator_core.reproduce.sweeps import sweep_pool
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Price
from annotator_core.verifiers.ledger import MemoryLedger
from tests.annotator_core.reproduce.conftest import WORDS

ROWS = 60


def _always(name):
    return lambda messages: f"Answer: {name}" if "step" in str(messages) else name


@pytest.fixture
def server():
    """Three models that name one class each, whatever the text: positive, positive, negative."""
    others = {"second": _always("positive"), "third": _always("negative")}
    with FakeOpenAI(OpenAIScript(_always("positive"), others=others)) as fake:
        yield fake


@pytest.fixture
def folders(folders, write_csv):
    """Half of the rows to label say one thing and its opposite, so that specialists differ."""
    rng = np.random.default_rng(3)
    words = {name: rng.choice(WORDS[name], 60) for name in ("negative", "positive")}
    pairs = zip(words["negative"], words["positive"], strict=True)
    rows = [(f"{i}", f"{bad} {good} mixed {i}", list(words)[i % 2]) for i, (bad, good) in enumerate(pairs)]
    write_csv("data/own/test.csv", rows)
    return folders


@pytest.fixture
def ask(own, folders, server):
    """Ask models about the set's rows: ask(*names) gives the sets and the rows of the table."""
    settings, ledger = Settings(folders, 2, 120, 1.0), MemoryLedger()
    found, _ = study_sets([own], settings, lambda _: None)

    def run(*models):
        with ExitStack() as stack:
            askers = {}
            for name in models:
                endpoint = Endpoint(server.url, name, None, 10.0, Price(0, 0, 0))
                askers[name] = stack.enter_context(OpenAIAsker(endpoint, allow=["127.0.0.1"]))
            return ask_models(found, askers, ledger, settings, lambda _: None, count=ROWS)

    return run


def _list_bodies(server):
    return [one.body for one in server.script.list_questions()]


def test_a_model_is_asked_once_for_each_strategy(ask, server):
    found, asked = ask("fake-model")
    bodies = _list_bodies(server)
    again = ask("fake-model")
    assert write_asked(again[1]) == write_asked(asked)
    assert _list_bodies(server) == bodies
    assert (len(bodies), [each.strategy.value for each in asked]) == (
        3 * ROWS,
        ["zero-shot", "one-shot", "chain-of-thought"],
    )
    rows = found[0].consulted.rows
    assert (len(rows), len(set(rows.tolist())), int(rows.max()) < 119) == (ROWS, ROWS, True)
    assert [each.accuracy for each in asked] == [(found[0].votes.gold[rows] == 2).mean()] * 3
    assert bodies[0]["messages"][0]["content"].startswith(
        "You are an autoclassifier that's responsible for labeling input text."
    )
    assert f"| Own | fake-model | one-shot | {ROWS} |" in write_asked(asked)


def test_policies_take_the_verifiers_own_answers_on_the_rows_asked(ask):
    measured = ask("fake-model")[0][0]
    rows, gold = measured.consulted.rows, measured.votes.gold
    rule = follow_paper(measured.votes.pool(measured.dataset.pool))
    right = np.where(rule.hard, gold == 2, rule.classes == gold)[rows].mean()
    assert 0 < rule.hard[rows].sum() < ROWS
    assert over_seeds(measured, "paper_llm").value == pytest.approx(right)
    assert over_seeds(measured, "paper_llm").low < right < over_seeds(measured, "paper_llm").high
    assert sweep_pool(measured)[-1].llm.value == pytest.approx(right)
    # What asks no LLM is measured on all rows, as before.
    assert over_seeds(measured, "majority").value == (rule.classes == gold).mean()
    assert f"(fake-model, {ROWS} rows)" in write_table_three([measured])
    assert "simulated" not in write_table_three([measured])
    assert "simulated" in write_table_three([replace(measured, consulted=None)])


def test_the_majority_is_that_of_all_models_and_the_first_is_the_verifier(ask):
    found, asked = ask("third", "fake-model", "second")
    consulted, gold = found[0].consulted, found[0].votes.gold
    share = f"{100 * (gold[consulted.rows] == 2).mean():.1f}"
    cells = write_table_three(found).splitlines()[2].split(" | ")
    assert len(asked) == 9
    assert (consulted.models[0], set(consulted.verifier.classes.tolist())) == ("third", {0})
    assert cells[4].startswith(f"{share} (")
    assert cells[4].endswith(f"(3 models, {ROWS} rows)")
    assert "LLM majority is that of third, fake-model, second" in tell_consulted(found)


def test_one_model_is_no_majority(ask):
    found, _ = ask("fake-model")
    assert write_table_three(found).splitlines()[2].split(" | ")[4] == "not run"
    assert "needs --model more than once" in tell_consulted(found)


def test_the_rows_asked_have_every_policy_side_by_side(ask):
    found, _ = ask("fake-model")
    consulted = found[0].consulted
    title, asked, hard, *told = write_consulted(found).splitlines()[2].strip("| ").split(" | ")
    assert (title, asked) == ("Own", f"{ROWS}")
    assert int(hard) == follow_paper(found[0].votes.pool(found[0].dataset.pool)).hard[consulted.rows].sum()
    assert told[6] == consulted.tell_policy("paper_person").tell()
    assert len(consulted.figures) == 2


def test_tokens_that_no_server_counted_are_not_made_up(ask, server):
    counted = ask("fake-model")[1][0]
    assert counted.tokens > 50
    server.script.lacks = frozenset({"usage"})
    found, asked = ask("second")
    assert isnan(asked[0].tokens)
    assert asked[0].seconds > 0
    assert "| not counted |" in write_asked(asked)
    assert np.isnan(found[0].consulted.verifier.tokens_in).all()


def test_a_tie_of_models_and_silence_name_no_class():
    answers = np.array([[0, 1, 1], [0, 1, -1], [-1, -1, -1], [2, -1, -1]])
    assert vote_models(answers, 3).tolist() == [1, -1, -1, 2]
    blank = np.zeros(4)
    assert (stack_classes([Replies(column, blank, blank, blank) for column in answers.T]) == answers).all()


def test_what_fusion_won_and_lost_is_counted_by_row(ballots_and_gold):
    ballots, gold = ballots_and_gold
    found = measure_policies(ballots, gold, Reviewers(gold, (gold + 1) % 3), seed=0)
    assert found["race_fusion"] - found["paper_llm"] == pytest.approx(found["won"] - found["lost"])
    assert found["won"] > 0.1


def test_the_gains_interval_is_that_of_pairs_of_answers():
    blank = np.zeros(100)
    replies = Replies(blank.astype(np.int64), blank, blank, blank)
    consulted = Consulted(np.arange(100), ("m",), (replies,), ({"won": 0.3, "lost": 0.1},))
    gain, width = consulted.tell_gain(), 1.96 * sqrt((0.4 - 0.04) / 100)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.2, 0.2 - width, 0.2 + width))
    drawn = replace(consulted, figures=({"won": 0.3, "lost": 0.1}, {"won": 0.1, "lost": 0.3}))
    assert drawn.tell_gain().high > 1.0  # two seeds that differ so much tell less than the rows
