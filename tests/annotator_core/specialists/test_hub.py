"""Fetching from a real HTTP hub on the loopback."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from annotator_core.errors import BadInput, BadModelFolder, HubUnavailable, ModelNotFound, ModelTooLarge, StorageError
from annotator_core.fakes.hub import FakeHub, HubContent, find_commit
from annotator_core.specialists.folder import hash_folder, inspect_folder, list_files
from annotator_core.specialists.hub import fetch, fetch_kept, is_model_id


@pytest.fixture
def hub(classifier: Path, tmp_path: Path) -> Iterator[FakeHub]:
    (classifier / "pytorch_model.bin").write_bytes(b"pickle")
    (classifier / "modeling_evil.py").write_text("raise SystemExit")
    (classifier / "onnx").mkdir()
    (classifier / "onnx" / "config.json").write_text("{}")
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "pytorch_model.bin").write_bytes(b"pickle")
    models = {"someone/tiny": classifier, "tiny": classifier, "someone/pickled": pickled, "someone/gated": classifier}
    with FakeHub(HubContent(models, gated=frozenset({"someone/gated"}))) as server:
        yield server


def test_fetch_brings_only_files_that_cannot_run_code_at_a_pinned_commit(
    hub: FakeHub, classifier: Path, tmp_path: Path
) -> None:
    fetched = fetch("someone/tiny", None, tmp_path / "got", endpoint=hub.url)
    assert fetched.revision == find_commit(classifier)
    assert sorted(path.name for path in fetched.path.iterdir() if path.is_file()) == sorted(
        path.name for path in classifier.iterdir() if path.suffix in {".json", ".txt", ".safetensors"}
    )
    assert not (fetched.path / "onnx").exists()
    assert hash_folder(fetched.path) == hash_folder(classifier)
    assert inspect_folder(fetched.path).labels == ("negative", "neutral", "positive")


def test_fetch_asks_for_files_by_commit_and_for_each_once(hub: FakeHub, classifier: Path, tmp_path: Path) -> None:
    fetch("tiny", "main", tmp_path / "got", endpoint=hub.url)
    asked = [line for line in hub.content.requests if line.startswith("GET /tiny/resolve/")]
    assert all(f"/resolve/{find_commit(classifier)}/" in line for line in asked)
    first = len(asked)
    fetch("tiny", "main", tmp_path / "got", endpoint=hub.url)
    assert sum(line.startswith("GET /tiny/resolve/") for line in hub.content.requests) == first


def test_fetch_from_an_address_that_ends_in_a_slash(hub: FakeHub, tmp_path: Path) -> None:
    assert fetch("someone/tiny", None, tmp_path / "m", endpoint=f"{hub.url}/").model_id == "someone/tiny"
    assert [line for line in hub.content.requests if "//" in line.split()[1]] == []


def test_fetch_a_cut_download_is_resumed(
    hub: FakeHub, classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.content.cut_after["model.safetensors"] = 1_000
    fetch("someone/tiny", None, tmp_path / "got", endpoint=hub.url)
    assert hash_folder(tmp_path / "got") == hash_folder(classifier)
    assert sum("model.safetensors" in line for line in hub.content.requests if line.startswith("GET")) > 1


@pytest.mark.parametrize(
    ("model_id", "revision", "error", "words"),
    [
        ("someone/missing", None, ModelNotFound, "was not found at http"),
        ("someone/tiny", "v9", ModelNotFound, "no such revision"),
        ("someone/gated", None, ModelNotFound, "gated: accept its terms"),
        ("someone/pickled", None, BadModelFolder, "no safetensors weights"),
        ("../etc", None, BadInput, "is no model id"),
        ("a/b/c", None, BadInput, "is no model id"),
        ("http://evil/x", None, BadInput, "is no model id"),
    ],
)
def test_fetch_says_what_is_wrong(
    hub: FakeHub, tmp_path: Path, model_id: str, revision: str | None, error: type, words: str
) -> None:
    with pytest.raises(error) as caught:
        fetch(model_id, revision, tmp_path / "got", endpoint=hub.url)
    assert words in caught.value.message
    assert not (tmp_path / "got").exists()


def test_fetch_a_model_over_the_limit_is_refused_before_a_byte(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ModelTooLarge, match="more than the 0 MB allowed"):
        fetch("someone/tiny", None, tmp_path / "got", max_bytes=1_000, endpoint=hub.url)
    assert not any("/resolve/" in line for line in hub.content.requests)


def test_fetch_from_a_hub_that_is_away_is_retryable(tmp_path: Path) -> None:
    with FakeHub(HubContent({})) as closed:
        pass
    with pytest.raises(HubUnavailable, match="try again") as caught:
        fetch("someone/tiny", None, tmp_path / "got", endpoint=closed.url)
    assert caught.value.retryable


def test_fetch_into_a_place_that_cannot_be_written(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be used"):
        fetch("someone/tiny", None, tmp_path / "file" / "got", endpoint=hub.url)


class _Html(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, *args: object) -> None:
        pass


def test_fetch_from_something_that_is_no_hub(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Html)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.raises(HubUnavailable, match="does not answer like a model hub"):
        fetch("someone/tiny", None, tmp_path / "got", endpoint=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["bert-base", "cardiffnlp/twitter-roberta-base-sentiment-latest", "a/b.c_d"])
def test_model_ids(name: str) -> None:
    assert is_model_id(name)


@pytest.mark.parametrize("name", ["", "/", "a/", "a/b/c", "..", "a/..", "a b", "a--b", "./model", "-x", "a" * 97, "é"])
def test_what_is_no_model_id(name: str) -> None:
    assert not is_model_id(name)


def _list_names(folder: Path) -> list[str]:
    return [file.name for file in list_files(folder)]


def test_a_kept_model_is_downloaded_once_and_by_its_commit_nobody_is_asked(
    hub: FakeHub, classifier: Path, tmp_path: Path
) -> None:
    commit = find_commit(classifier)
    first = fetch_kept("someone/tiny", None, tmp_path / "cache", endpoint=hub.url)
    assert (first.revision, first.path) == (commit, tmp_path / "cache" / f"someone--tiny@{commit}")
    assert hash_folder(first.path) == hash_folder(classifier)
    asked = len(hub.content.requests)
    assert fetch_kept("someone/tiny", commit, tmp_path / "cache", endpoint=hub.url) == first
    assert len(hub.content.requests) == asked
    # What the default branch is today is asked for, and nothing more.
    assert fetch_kept("someone/tiny", None, tmp_path / "cache", endpoint=hub.url) == first
    assert len(hub.content.requests) == asked + 1


def test_another_commit_has_a_folder_of_its_own_without_what_was_removed(
    hub: FakeHub, classifier: Path, tmp_path: Path
) -> None:
    before = fetch_kept("someone/tiny", None, tmp_path / "cache", endpoint=hub.url)
    (classifier / "model.safetensors").rename(classifier / "model-00001-of-00001.safetensors")
    after = fetch_kept("someone/tiny", "main", tmp_path / "cache", endpoint=hub.url)
    assert _list_names(after.path) == _list_names(classifier)
    assert "model.safetensors" in _list_names(before.path)
    assert after.revision != before.revision


def test_a_kept_model_that_lost_a_file_is_mended_from_the_hub(hub: FakeHub, classifier: Path, tmp_path: Path) -> None:
    kept = fetch_kept("tiny", None, tmp_path / "cache", endpoint=hub.url)
    (kept.path / "config.json").unlink()
    again = fetch_kept("tiny", kept.revision, tmp_path / "cache", endpoint=hub.url)
    assert hash_folder(again.path) == hash_folder(classifier)


def test_a_download_that_was_cut_off_is_no_kept_model(hub: FakeHub, classifier: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / f"tiny@{find_commit(classifier)}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes((classifier / "config.json").read_bytes())
    kept = fetch_kept("tiny", find_commit(classifier), tmp_path / "cache", endpoint=hub.url)
    assert hash_folder(kept.path) == hash_folder(classifier)


def test_without_a_hub_a_kept_model_is_named_and_taken_by_its_commit(classifier: Path, tmp_path: Path) -> None:
    with FakeHub(HubContent({"someone/tiny": classifier})) as server:
        kept = fetch_kept("someone/tiny", None, tmp_path, endpoint=server.url)
    # Another address: a connection that is still open would be answered.
    with FakeHub(HubContent({})) as closed:
        pass
    with pytest.raises(HubUnavailable, match=f"someone/tiny@{kept.revision} is here and needs no hub"):
        fetch_kept("someone/tiny", None, tmp_path, endpoint=closed.url)
    with pytest.raises(HubUnavailable, match=r"try again\.$"):
        fetch_kept("someone/other", None, tmp_path, endpoint=closed.url)
    assert fetch_kept("someone/tiny", kept.revision, tmp_path, endpoint=closed.url) == kept


@pytest.mark.parametrize("sha", ["", "../../etc", "main"])
def test_a_hub_that_names_no_commit_is_refused(classifier: Path, tmp_path: Path, sha: str) -> None:
    with (
        FakeHub(HubContent({"tiny": classifier}, facts={"tiny": {"sha": sha}})) as server,
        pytest.raises(HubUnavailable, match="names no commit for tiny"),
    ):
        fetch_kept("tiny", None, tmp_path, endpoint=server.url)
    assert list(tmp_path.glob("tiny@*")) == []
