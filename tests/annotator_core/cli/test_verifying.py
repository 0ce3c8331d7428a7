"""The shell's verification by itself: pauses that an endpoint asks for, and several models."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from annotator_core.annotation import Ballot
from annotator_core.cli.answers import AnswerFile
from annotator_core.cli.gold import is_certifying
from annotator_core.cli.verifier import VerifierOptions
from annotator_core.cli.verifying import ExamplePool, Verification
from annotator_core.errors import EndpointSilent, TryLater
from annotator_core.fakes.openai_answers import find_item
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


@pytest.fixture
def fuse(ballot):
    """Fit on the ballot and gold, and verify it: fuse(gold, *answerers, **options), an answerer says a name by text."""

    def run(gold, *answerers, ballot=ballot, is_fused=True, **more):
        options = replace(OPTIONS, models=tuple(map(str, range(len(answerers)))), is_fused=is_fused, **more)
        scripts = [OpenAIScript(lambda messages, say=say: say(find_item(messages))) for say in answerers]
        with ExitStack() as stack:
            servers = [stack.enter_context(FakeOpenAI(script)) for script in scripts]
            endpoints = [Endpoint(server.url, "fake-model", None, 10.0, FREE) for server in servers]
            askers = [stack.enter_context(OpenAIAsker(each, allow=["127.0.0.1"])) for each in endpoints]
            ledger = stack.enter_context(AnswerFile(None, None, is_kept=False))
            verification = Verification(options, askers, ledger, ExamplePool())
            if is_fused:
                verification.fit([decide(ballot)], lambda: [ballot], gold, 0)
            else:
                verification.watch(lambda: [ballot], gold)
            return verification.verify(decide(ballot))[0], verification.tell()

    return run


@pytest.fixture
def ballot(fake_folder):
    """Ninety rows that three fakes without much of a clue vote on."""
    folders = [fake_folder(f"f{seed}", seed=seed, noise=0.6) for seed in range(3)]
    pool = [open_specialist(folder, CLASSES, allow_fake=True) for folder in folders]
    return cast_votes([f"text {number}" for number in range(90)], pool)


def _find_gold(texts):
    return np.array([int(text.split()[1]) % 3 for text in texts])


def test_votes_and_answers_on_certifying_texts_teach_fusion_nothing(fuse, ballot):
    certifies, gold = is_certifying(ballot.texts), _find_gold(ballot.texts)
    hidden = {text for text, certifies in zip(ballot.texts, certifies, strict=True) if certifies}
    probs = ballot.probs.copy()
    probs[certifies] = probs[certifies][:, :, ::-1]
    turned = Ballot(ballot.texts, probs, ballot.reasons, ballot.names)
    one, _told = fuse(gold, _err(0))
    other, _told = fuse(gold, lambda text: "positive" if text in hidden else _err(0)(text), ballot=turned)
    rows = one.is_verified & ~certifies
    assert rows.sum() > 10
    assert one.confidence[rows].tolist() == other.confidence[rows].tolist()


def _err(shift, *, is_always=True):
    """Return an answerer that names the class so many after the right one, about every other text or about all."""
    return lambda text: CLASSES[(int(text.split()[1]) + (shift if is_always or int(text.split()[1]) % 2 else 0)) % 3]


def test_answers_that_are_not_sure_teach_fusion_nothing(fuse, ballot):
    # About every other text two of three models are wrong, in one run in one way and in the other in the other.
    gold = np.where(np.arange(90) < 60, _find_gold(ballot.texts), ABSTAIN)
    doubted = ([_err(0), *[_err(shift, is_always=False)] * 2] for shift in (1, 2))
    (one, told), (other, other_told) = [fuse(gold, *says, sure_from=0.9) for says in doubted]
    assert one.is_verified.sum() > 10
    assert one.labels.tolist() == other.labels.tolist()
    assert np.array_equal(one.confidence, other.confidence, equal_nan=True)
    assert told.split("requests")[0] == other_told.split("requests")[0]


@pytest.mark.parametrize(("sure_from", "is_warned"), [(None, True), (0.9, False)])
def test_answers_that_replace_no_label_are_not_warned_of(fuse, ballot, sure_from, is_warned):
    gold = _find_gold(ballot.texts)
    _block, told = fuse(gold, _err(1), _err(1), _err(2), is_fused=False, sure_from=sure_from)
    assert ("the answers would hurt" in told) == is_warned
