"""A folder becomes a specialist in one call, or says what is unclear."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core import open_specialist
from annotator_core.errors import BadInput, BadLabelMap

CLASSES = ("negative", "neutral", "positive")


def test_open_takes_labels_that_name_the_classes(fake_folder: Callable[..., Path]) -> None:
    specialist = open_specialist(fake_folder("named", noise=0.0, keywords={"x": "positive"}), CLASSES, allow_fake=True)
    assert specialist.identity.name == "named"
    assert specialist.predict(["x"]).probs.argmax(axis=1).tolist() == [2]


def test_open_abstains_where_a_label_means_nothing(fake_folder: Callable[..., Path]) -> None:
    folder = fake_folder(noise=0.0, keywords={"x": "neutral"})
    meanings = {"negative": "neutral", "neutral": None, "positive": "positive"}
    specialist = open_specialist(folder, CLASSES, meanings=meanings, allow_holes=True, allow_fake=True)
    assert specialist.predict(["x"]).reasons == ("The model's answer is none of the classes.",)


@pytest.mark.parametrize(
    ("meanings", "words"),
    [
        (None, "What LABEL_0 means is not clear"),
        ({"other": "negative"}, "must name each of the model's labels: LABEL_0, positive"),
        ({"LABEL_0": "bad", "positive": None}, "'bad' is none of the classes"),
        ({"LABEL_0": "negative", "positive": "positive"}, "Missing: neutral"),
    ],
)
def test_open_refuses_what_is_unclear(
    fake_folder: Callable[..., Path], meanings: dict[str, str | None] | None, words: str
) -> None:
    with pytest.raises(BadLabelMap, match=words):
        open_specialist(fake_folder(labels=("LABEL_0", "positive")), CLASSES, meanings=meanings, allow_fake=True)


def test_open_refuses_a_length_that_leaves_no_words(classifier_template: Path) -> None:
    with pytest.raises(BadInput, match="at least 8 tokens, not 7"):
        open_specialist(classifier_template, CLASSES, max_length=7)


def test_open_votes_in_the_precision_that_is_asked_for(classifier_template: Path) -> None:
    texts = ["good movie", "awful flight on time"]
    exact, rough = (open_specialist(classifier_template, CLASSES, precision=each) for each in ("fp32", "bf16"))
    # Alone each of them: in fp32 a text's votes do not depend on those it is read with.
    alone = np.concatenate([exact.predict([text]).probs for text in texts])
    np.testing.assert_allclose(exact.predict(texts).probs, alone, atol=1e-6)
    assert (exact.to_state(), rough.to_state()["is_quick"]) == ({}, True)
