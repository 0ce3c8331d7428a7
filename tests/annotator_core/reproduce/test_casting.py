import numpy as np
import pytest

from annotator_core.errors import BadInput
from annotator_core.reproduce.casting import cast_votes
from annotator_core.reproduce.sets import DataSet
from annotator_core.reproduce.specialists import Folders, find_missing
from annotator_core.reproduce.study import Settings, study_sets
from annotator_core.reproduce.targets import draw_rows, read_slices

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
    assert votes.names == own.pool
    assert np.array_equal(votes.probs, again.probs)
    assert (votes.pool(own.pool).votes[:, 0] == votes.gold).mean() > 0.9


def test_encoders_that_were_not_trained_are_named(folders):
    dataset = DataSet("x", "X", "sentiment", ("x.csv",), ("a", "b"), ("tweets-a",))
    assert "no specialist tweets-a" in find_missing(dataset, folders.trained)
    found, missing = study_sets([dataset], Settings(folders, 1, 100, 1.0), lambda _: None)
    assert (found, list(missing)) == ((), ["x"])


def test_a_missing_file_is_told(own, tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        cast_votes(own, Folders(tmp_path, tmp_path, tmp_path))
