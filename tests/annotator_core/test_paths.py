"""Path containment (S17)."""

from pathlib import Path

from annotator_core.paths import is_inside


def test_s17_a_sibling_with_the_same_beginning_is_not_inside(tmp_path: Path) -> None:
    data, evil = tmp_path / "data", tmp_path / "data-evil"
    data.mkdir()
    evil.mkdir()
    assert is_inside(data, data / "a" / "b")
    assert is_inside(data, data)
    assert not is_inside(data, evil)
    assert not is_inside(data, data / ".." / "data-evil" / "x")
    assert is_inside(data, data / "a" / ".." / "b")


def test_s17_a_link_is_where_it_points(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "out").symlink_to(tmp_path)
    (tmp_path / "in").symlink_to(data)
    assert not is_inside(data, data / "out" / "x")
    assert is_inside(data, tmp_path / "in" / "x")
