import numpy as np
import pytest

from annotator_core.errors import AddressRefused, BadInput
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.reproduce.asking import ask_endpoint, write_asked
from annotator_core.reproduce.casting import cast_votes
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import Folders, find_missing
from annotator_core.reproduce.study import Settings, study_sets
from annotator_core.reproduce.targets import draw_rows, read_slices
from annotator_core.verifiers.client import Endpoint
from annotator_core.verifiers.contract import Price

NAMES = ("linear-both", "linear-words", "linear-characters")


@pytest.fixture
def folders(write_csv, made_texts, tmp_path):
    write_csv("data/own/train.csv", made_texts(150, 1))
    write_csv("data/own/test.csv", made_texts(60, 2))
    return Folders(tmp_path / "data", tmp_path / "trained", tmp_path / "kept")


@pytest.fixture
def own():
    files = ("own/train.csv", "own/test.csv")
    return DataSet("own", "Own", "own", files, (), NAMES, training=files[0], rows_each=30)


def test_no_row_that_a_specialist_learned_from_is_labeled(own, folders):
    slices, classes = read_slices(own, folders.data)
    rows, _ = draw_rows(own, folders.data)
    learned = {text for part in slices for text in part.texts}
    assert classes == ("negative", "neutral", "positive")
    assert (len(learned), len(rows), learned & set(rows.texts)) == (90, 120, set())


def test_votes_are_cast_once(own, folders):
    votes = cast_votes(own, folders)
    for file in (folders.kept / "linear").rglob("*.safetensors"):
        file.unlink()
    again = cast_votes(own, folders)
    assert votes.names == NAMES
    assert np.array_equal(votes.probs, again.probs)
    assert (votes.pool(NAMES).votes[:, 0] == votes.gold).mean() > 0.9


def test_encoders_that_were_not_trained_are_named(folders):
    dataset = DataSet("x", "X", "sentiment", ("x.csv",), ("a", "b"), ("tweets-a",))
    assert "no specialist tweets-a" in find_missing(dataset, folders.trained)
    found, missing = study_sets([dataset], Settings(folders, 1, 100, 1.0), lambda _: None)
    assert (found, list(missing)) == ((), ["x"])


def test_an_endpoint_is_asked_once_for_each_strategy(own, folders):
    settings = Settings(folders, 1, 120, 1.0)
    found, _ = study_sets([own], settings, lambda _: None)
    with FakeOpenAI(
        OpenAIScript(lambda messages: "Answer: positive" if "step" in str(messages) else "positive")
    ) as fake:
        endpoint = Endpoint(fake.url, "fake-model", None, 10.0, Price(0, 0, 0))

        def ask():
            return ask_endpoint(found, endpoint, settings, lambda _: None, allow=["127.0.0.1"], count=5)

        asked = ask()
        questions = [one.body["messages"] for one in fake.script.list_questions() if "<data-" in str(one.body)]
        assert write_asked(ask()) == write_asked(asked)
        assert [one.body["messages"] for one in fake.script.list_questions() if "<data-" in str(one.body)] == questions
    assert (len(questions), [each.strategy.value for each in asked]) == (
        15,
        ["zero-shot", "one-shot", "chain-of-thought"],
    )
    assert [each.accuracy for each in asked] == [(found[0].votes.gold[:5] == 2).mean()] * 3
    assert questions[0][0]["content"].startswith(
        "You are an autoclassifier that's responsible for labeling input text."
    )
    assert "| Own | one-shot | 5 |" in write_asked(asked)


def test_a_private_endpoint_needs_leave(own, folders):
    settings = Settings(folders, 1, 120, 1.0)
    found, _ = study_sets([own], settings, lambda _: None)
    with pytest.raises(AddressRefused):
        ask_endpoint(found, Endpoint("http://127.0.0.1:9/v1", "m", None, 1.0, Price(0, 0, 0)), settings, lambda _: None)


def test_a_missing_file_is_told(own, tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        cast_votes(own, Folders(tmp_path, tmp_path, tmp_path))
