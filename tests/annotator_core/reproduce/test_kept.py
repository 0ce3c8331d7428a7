import numpy as np
import pytest

from annotator_core.errors import BadInput
from annotator_core.reproduce.kept import Votes, read_votes, write_votes
from annotator_core.reproduce.stored import read_stored
from annotator_core.reproduce.study import keep


def _votes():
    probs = np.array([[[0.9, 0.1], [np.nan, np.nan]]], dtype=np.float32)
    seconds, words = np.ones(2, np.float32), np.array([3])
    return Votes(("a", "b"), ("x", "y"), probs, np.array([1]), np.empty((1, 0), np.int64), seconds, words, 5e6)


def test_votes_come_back_as_they_were_kept(tmp_path):
    write_votes(tmp_path / "v.npz", _votes(), "abc")
    found = read_votes(tmp_path / "v.npz", "abc")
    assert (found.names, found.classes) == (("a", "b"), ("x", "y"))
    assert found.pool(("b", "a")).votes.tolist() == [[-1, 0]]
    assert found.peak_bytes == 5e6


def test_votes_of_before_memory_was_measured_are_taken_without_it(tmp_path):
    path = tmp_path / "v.npz"
    write_votes(path, _votes(), "abc")
    with np.load(path) as file:
        older = {name: file[name] for name in file.files if name != "peak_bytes"}
    np.savez_compressed(path, **older)
    found = read_votes(path, "abc")
    assert found.names == ("a", "b")
    assert np.isnan(found.peak_bytes)


def test_votes_of_other_settings_or_damaged_ones_are_none(tmp_path):
    path = tmp_path / "v.npz"
    write_votes(path, _votes(), "abc")
    assert read_votes(path, "other") is None
    path.write_bytes(path.read_bytes()[:50])
    assert read_votes(path, "abc") is None
    assert read_votes(tmp_path / "none.npz", "abc") is None


def test_a_specialist_that_has_not_voted_is_named():
    with pytest.raises(BadInput, match="no vote of c"):
        _votes().pool(("a", "c"))


def test_stored_votes_are_read_with_their_panel(tmp_path):
    (tmp_path / "items.csv").write_text("id,text,label\n1,one two,x\n2,three,y\n")
    (tmp_path / "votes.csv").write_text("item,annotator,label\n1,a,x\n2,a,y\n1,llm,y\n2,llm,unknown\n")
    votes = read_stored(tmp_path, ("x", "y"), ("a",), ("llm",))
    assert votes.pool(("a",)).votes.tolist() == [[0], [1]]
    assert (votes.answers.tolist(), votes.words.tolist()) == ([[1], [-1]], [2, 1])
    with pytest.raises(BadInput, match="no vote of b"):
        read_stored(tmp_path, ("x", "y"), ("b",))


def test_figures_are_made_once_and_anew_where_damaged(tmp_path):
    path = tmp_path / "f.json"
    assert keep(path, lambda: {"a": 1}) == {"a": 1}
    assert keep(path, lambda: {"a": 2}) == {"a": 1}
    path.write_text("{")
    assert keep(path, lambda: {"a": 3}) == {"a": 3}
