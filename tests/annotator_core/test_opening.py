"""A folder becomes a specialist in one call, or says what is unclear."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotator_core import open_specialist
from annotator_core.errors import BadLabelMap

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
