"""Tables in: dialects, exact cells, and refusals with their line."""

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from annotator_core.cli.tables import (
    Kind,
    check_unchanged,
    digest_texts,
    open_source,
    open_table,
    read_rows,
    read_windows,
)
from annotator_core.errors import BadInput


def _write(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_c30_the_delimiter_is_the_one_that_finds_the_column(tmp_path: Path, delimiter: str) -> None:
    table = open_table(_write(tmp_path, "a.csv", f"id{delimiter}text\n1{delimiter}a b\n"), "text")
    assert (table.delimiter, table.columns, table.n_rows) == (delimiter, ("id", "text"), 1)


def test_c30_semicolons_with_commas_inside(tmp_path: Path) -> None:
    table = open_table(_write(tmp_path, "a.csv", "id;text\n1;good, very good\n"), "text")
    assert list(read_rows(table)) == [{"id": "1", "text": "good, very good"}]


def test_bom_quotes_line_breaks_and_a_1_mb_cell(tmp_path: Path) -> None:
    big = "x" * 1_000_000
    path = _write(tmp_path, "a.csv", f'\ufefftext,n\r\n"a\r\n""b""\n",1\r\n{big},2\r\n')
    assert [row["text"] for row in read_rows(open_table(path, "text"))] == ['a\r\n"b"\n', big]


def test_jsonl_keeps_values_and_takes_null_as_empty(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.jsonl", '{"text": "a", "n": 1}\n\n{"text": null, "m": [1]}\n')
    table = open_table(path, "text")
    assert (table.columns, table.n_rows) == (("text", "n", "m"), 2)
    assert list(read_rows(table)) == [{"text": "a", "n": 1}, {"text": None, "m": [1]}]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", "x", "its name must end in .csv"),
        ("a.csv", "", "is empty"),
        ("a.csv", "\n", "is empty"),
        ("a.csv", "text\n", "has a header but no rows"),
        ("a.csv", "a,b\n1,2\n", "has no column 'text': choose one of a, b"),
        ("a.csv", "text,text\n1,2\n", "two columns named 'text'"),
        ("a.csv", "text,b\n1,2\n1\n", "line 3: 1 cells where the header has 2"),
        ("a.csv", "text,b\n1,2\n1,2,3\n", "line 3: 3 cells where the header has 2"),
        ("a.csv", 'text,b\n1,"2\n', "line 2: unexpected end of data"),
        ("a.csv", "text\ncafé\n".encode("latin-1"), "a.csv, line 2 is not UTF-8 (byte 0xe9)"),
        ("a.csv", "text\na\n".encode("utf-16"), "line 1 is not UTF-8"),
        ("a.jsonl", "{\n", "line 1 is no JSON:"),
        ("a.jsonl", '{"text": "a"}\n[1]\n', "line 2 is no JSON object"),
        ("a.jsonl", '{"text": "a"}\n{"b": 1}\n', "a.jsonl, line 2 has no column 'text': choose one of b"),
        ("a.jsonl", '{"text": 7}\n', "line 1: 'text' is no text"),
        ("a.jsonl", "[" * 100_000, "line 1 is no JSON"),
        ("a.jsonl", json.dumps({"text": "a"} | {f"c{i}": 1 for i in range(10_000)}), "more than 10000 columns"),
    ],
)
def test_bad_tables_say_what_where_and_what_to_do(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_table(_write(tmp_path, name, content), "text")
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "\r\n  \nid;text\n1;a\n\n"), ("a.jsonl", '\n\n{"id": "1", "text": "a"}\n')]
)
def test_blank_lines_before_the_first_are_nothing(tmp_path: Path, name: str, content: str) -> None:
    assert list(read_rows(open_table(_write(tmp_path, name, content), "text"))) == [{"id": "1", "text": "a"}]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        open_table(tmp_path / "missing.csv", "text")


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.csv", "text\na\nb\n")
    table = open_table(path, "text")
    path.write_text("text\na\nc\nd\n")
    with pytest.raises(BadInput, match="was changed while it was read: run the command again"):
        list(read_windows(table))
    path.unlink()
    with pytest.raises(BadInput, match="was changed"):
        check_unchanged(table)


def test_windows_are_cut_alike_wherever_reading_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator_core.cli.tables.WINDOW_ROWS", 3)
    monkeypatch.setattr("annotator_core.cli.tables.WINDOW_CHARS", 8)
    monkeypatch.setattr("annotator_core.cli.tables._RECORD_CHARS", 30)
    texts = ["a", "bb", "c", "dddddd", "eee", "f", "ggggggggggg", "h", "i", "j"]
    others = ["" if text != "i" else "x" * 40 for text in texts]
    table = open_table(
        _write(tmp_path, "a.csv", "\n".join(["text,n", *map(",".join, zip(texts, others, strict=True))])), "text"
    )
    whole = [window.texts for window in read_windows(table)]
    assert whole == [["a", "bb", "c"], ["dddddd"], ["eee", "f"], ["ggggggggggg"], ["h"], ["i"], ["j"]]
    assert [window.texts for window in read_windows(table, skip=4)] == whole[2:]


def test_standard_input_is_read_once_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"id\ttext\n1\ta\n")))
    with open_source(Path("-"), "text") as table:
        assert (table.name, table.delimiter, table.n_rows) == ("standard input", "\t", 1)
        assert [list(read_rows(table)), list(read_rows(table))] == [[{"id": "1", "text": "a"}]] * 2
        copy = table.path
    assert not copy.exists()


@pytest.mark.parametrize(("name", "kind"), [("pipe", "jsonl"), ("pipe.jsonl", None)])
def test_a_pipe_under_a_name_is_read_once(tmp_path: Path, name: str, kind: Kind | None) -> None:
    pipe, rows = tmp_path / name, [{"text": f"{number} {'x' * 100}"} for number in range(2_000)]
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as threads:
        threads.submit(pipe.write_text, "".join(f"{json.dumps(row)}\n" for row in rows))
        with open_source(pipe, "text", kind) as table:
            assert (table.name, table.n_rows) == (str(pipe), 2_000)
            assert [list(read_rows(table)), list(read_rows(table))] == [rows] * 2


def test_a_pipe_of_no_kind_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="or give --format"), open_source(tmp_path / "pipe", "text"):
        pass


def test_texts_have_a_digest_of_their_own(tmp_path: Path) -> None:
    first = open_table(_write(tmp_path, "a.csv", "text,n\nab,1\nc,2\n"), "text")
    same = open_table(_write(tmp_path, "b.jsonl", '{"text": "ab"}\n{"text": "c"}\n'), "text")
    other = open_table(_write(tmp_path, "c.csv", "text,n\na,1\nbc,2\n"), "text")
    assert digest_texts(first) == digest_texts(same) != digest_texts(other)
    assert first.digest != same.digest
