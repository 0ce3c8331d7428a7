import numpy as np
import pytest

from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.reproduce.casting import cast_votes, predict_all
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
    assert again.peak_bytes == votes.peak_bytes > 2e7
    assert (votes.pool(own.pool).votes[:, 0] == votes.gold).mean() > 0.9


def test_votes_are_the_same_in_a_process_of_their_own(own, folders):
    votes = cast_votes(own, folders)
    rows, classes = draw_rows(own, folders.data)
    probs, seconds = predict_all(own, classes, folders, rows.texts)
    assert np.array_equal(votes.probs, probs)
    assert (seconds.shape, (votes.seconds > 0).all()) == ((3,), True)


def test_a_specialist_that_does_not_fit_is_named_by_the_process_that_casts(own, folders):
    cast_votes(own, folders)
    (folders.kept / "votes" / "own.npz").unlink()
    for file in (folders.kept / "linear").rglob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.raises(BadModelFolder):
        cast_votes(own, folders)


def test_encoders_that_were_not_trained_are_named(folders):
    dataset = DataSet("x", "X", "sentiment", ("x.csv",), ("a", "b"), ("tweets-a",))
    assert "no specialist tweets-a" in find_missing(dataset, folders.trained)
    found, missing = study_sets([dataset], Settings(folders, 1, 100, 1.0), lambda _: None)
    assert (found, list(missing)) == ((), ["x"])


def test_a_missing_file_is_told(own, tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        cast_votes(own, Folders(tmp_path, tmp_path, tmp_path))
