import pytest

from annotator_core.errors import BadInput
from annotator_core.reproduce.rows import read_rows
from annotator_core.reproduce.sets import SENTIMENT, SETS, find_sets, read_given


def test_labels_get_the_classes_names_and_equal_texts_count_once(write_csv):
    path = write_csv(
        "a.csv", [["1", "up", "bullish"], ["2", "down", "negative"], ["3", "up", "neutral"], ["4", " ", "neutral"]]
    )
    rows = read_rows([path], SENTIMENT, {"bullish": "positive"})
    assert (rows.texts, rows.gold.tolist()) == (("up", "down"), [2, 0])


def test_a_label_that_is_no_class_is_refused_with_its_row(write_csv):
    path = write_csv("a.csv", [["1", "up", "sideways"]])
    with pytest.raises(BadInput, match="row 2: the label 'sideways'"):
        read_rows([path], SENTIMENT, {})


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "", "text,label\n"])
def test_a_file_without_the_columns_or_rows_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(BadInput):
        read_rows([tmp_path / "a.csv"], SENTIMENT, {})


def test_a_given_file_is_sentiment_or_toxicity_by_its_labels(write_csv):
    assert read_given("a", write_csv("a.csv", [["1", "x", "bearish"], ["2", "y", "neutral"]])).task == "sentiment"
    assert read_given("b", write_csv("b.csv", [["1", "x", "hate_speech"], ["2", "y", "neither"]])).task == "toxicity"
    with pytest.raises(BadInput, match="must be of sentiment"):
        read_given("c", write_csv("c.csv", [["1", "x", "spam"]]))


def test_sets_are_found_by_name():
    assert find_sets([]) == SETS
    assert [each.name for each in find_sets(["trec6"])] == ["trec6"]
    with pytest.raises(BadInput, match="no set 'nope'"):
        find_sets(["nope"])
