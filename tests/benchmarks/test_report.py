"""Pages under docs/benchmarks: one for each kind of machine, and no note that somebody wrote is lost unnoticed."""

import pytest

from benchmarks import report


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FOLDER", tmp_path / "docs" / "benchmarks")
    return report.FOLDER


def test_a_page_names_its_command_whatever_machine_it_is_of(folder):
    for ending in ("", *report.HARDWARE):
        path = report.write(f"runtime{ending}", "A title", "a table")
        assert "Made by `make bench ARGS=runtime` on " in path.read_text()
    assert "`make bench-ui ARGS=review`" in report.write("review", "A title", "a table").read_text()
    index = report.write_index().read_text()
    assert index.count("(`make bench ARGS=runtime`)") == 4
    assert index.count("(`make bench-ui ARGS=review`)") == 1


def test_a_note_of_the_page_before_is_told(folder, capsys):
    path = report.write("runtime", "A title", "a table")
    assert "written by hand" not in capsys.readouterr().out
    path.write_text(path.read_text().replace("\n\nMade by", "\n\n**Not measured again** since then.\n\nMade by"))
    report.write("runtime", "A title", "another table")
    assert "Put it back if it still holds:\n\n**Not measured again** since then.\n" in capsys.readouterr().out
    assert "Not measured again" not in path.read_text()


def test_the_pages_that_are_there_have_the_line_that_ends_a_note():
    pages = [page for page in report.FOLDER.glob("*.md") if "ARGS=" in page.read_text()]
    assert len(pages) > 10
    assert [page.name for page in pages if report._read_note(page)] == ["runtime-amx.md"]


@pytest.mark.parametrize(("has_gpu", "words"), [(True, "), Some GPU, Python "), (False, "), Python ")])
def test_the_machine_has_its_gpu_named(monkeypatch, has_gpu, words):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    assert words in report.machine()
