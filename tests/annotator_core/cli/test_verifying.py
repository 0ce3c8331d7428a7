"""The shell's verification by itself: pauses that an endpoint asks for, and several models."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from annotator_core.cli.answers import AnswerFile
from annotator_core.cli.verifier import VerifierOptions
from annotator_core.cli.verifying import ExamplePool, Verification
from annotator_core.errors import EndpointSilent, TryLater
from annotator_core.fakes.openai_script import OpenAIScript, fail
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.loop import cast_votes, decide
from annotator_core.opening import open_specialist
from annotator_core.types import ABSTAIN, LabelSource
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Outcome, Plan, Price

CLASSES = ("negative", "neutral", "positive")
FREE = Price(0.0, 0.0, 0.0)
BUSY = fail(429, {"Retry-After": "60"})
OPTIONS = VerifierOptions(
    text_column="text", url="", models=("m",), key=None, plan=Plan(CLASSES), price=FREE, cap_nano=None, allow=(),
    concurrency=1, examples=None, answers=None, sure_from=None, is_fused=False, goes_on=False,
)  # fmt: skip


@pytest.fixture
def block(fake_folder):
    """Ten rows, of which some are hard."""
    folders = [fake_folder(f"f{seed}", seed=seed, noise=0.5) for seed in range(3)]
    pool = [open_specialist(folder, CLASSES, allow_fake=True) for folder in folders]
    return decide(cast_votes([f"text {number}" for number in range(10)], pool))


@pytest.fixture
def run(block):
    """Verify the block with a fake server for each script: run(*scripts) gives block, verdicts and the pauses."""

    def verify(*scripts):
        pauses = []
        options = replace(OPTIONS, models=tuple(map(str, range(len(scripts)))))
        with ExitStack() as stack:
            servers = [stack.enter_context(FakeOpenAI(script)) for script in scripts]
            endpoints = [Endpoint(server.url, "fake-model", None, 10.0, FREE) for server in servers]
            askers = [stack.enter_context(OpenAIAsker(each, allow=["127.0.0.1"])) for each in endpoints]
            ledger = stack.enter_context(AnswerFile(None, None, is_kept=False))
            found = Verification(options, askers, ledger, ExamplePool(), pauses.append).verify(block)
        return *found, pauses

    return verify


def test_a_pause_is_waited_for_and_the_rest_is_asked(run, block):
    script = OpenAIScript(lambda _messages: "neutral", steps=[BUSY])
    verified, verdicts, pauses = run(script)
    assert pauses == [60.0]
    assert set(verified.labels[block.is_hard].tolist()) == {1}
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.ANSWERED}


def test_an_endpoint_that_only_asks_for_pauses_is_given_up(run):
    with pytest.raises(TryLater):
        run(OpenAIScript(lambda _messages: "neutral", rest=BUSY))


def test_an_endpoint_that_never_answers_is_given_up_at_one_call_a_break(run):
    script = OpenAIScript(lambda _messages: "neutral", rest=fail(503))
    with pytest.raises(EndpointSilent, match="has not answered 6 times in a row"):
        run(script)
    assert len(script.asked) == 5 + 5


def test_several_models_decide_by_majority(run, block):
    says = [OpenAIScript(lambda _messages, name=name: name) for name in ("positive", "neutral", "positive")]
    verified, verdicts, _pauses = run(*says)
    assert set(verified.labels[block.is_hard].tolist()) == {2}
    assert {verdict.confidence for verdict in verdicts.values()} == {2 / 3}
    assert set(verified.list_sources()) <= {LabelSource.VERIFIER, LabelSource.CONSENSUS}


def test_models_that_disagree_leave_a_row_to_a_person(run, block):
    verified, verdicts, _pauses = run(*(OpenAIScript(lambda _messages, name=name: name) for name in CLASSES))
    assert set(verified.labels[block.is_hard].tolist()) == {ABSTAIN}
    assert not verified.is_verified.any()
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.SPLIT}
