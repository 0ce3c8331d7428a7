"""The fake hub beyond what fetching needs: search, trees, and no way out of its folders."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from annotator_core.fakes.hub import FakeHub, HubContent, find_commit, main


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    for name in ("alpha", "beta", "alpha-evil"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(f'{{"name": "{name}"}}')
    with FakeHub(HubContent({"a/alpha": tmp_path / "alpha", "b/beta": tmp_path / "beta"})) as server:
        yield server


def _get(hub: FakeHub, path: str) -> object:
    with urlopen(hub.url + path) as answer:
        return json.loads(answer.read())


def _get_status(hub: FakeHub, path: str) -> tuple[int, str]:
    with pytest.raises(HTTPError) as caught:
        urlopen(hub.url + path)
    with caught.value as error:
        return error.code, error.headers["X-Error-Code"]


def test_search_and_limit(hub: FakeHub) -> None:
    assert [model["id"] for model in _get(hub, "/api/models")] == ["a/alpha", "b/beta"]
    assert [model["id"] for model in _get(hub, "/api/models?search=BET&limit=1")] == ["b/beta"]
    assert _get(hub, "/api/models?limit=0") == []


def test_tree_lists_files_and_parts_that_are_not_there_are_empty(hub: FakeHub) -> None:
    (entry,) = _get(hub, "/api/models/a/alpha/tree/main")
    assert (entry["path"], entry["size"]) == ("config.json", 17)
    assert _get(hub, "/api/models/a/alpha/tree/main/additional_chat_templates") == []


def test_files_are_served_whole_and_in_part(hub: FakeHub, tmp_path: Path) -> None:
    path = f"/a/alpha/resolve/{find_commit(tmp_path / 'alpha')}/config.json"
    assert _get(hub, path) == {"name": "alpha"}
    with urlopen(Request(hub.url + path, headers={"Range": "bytes=9-"})) as answer:
        assert (answer.status, answer.read()) == (206, b'"alpha"}')


def test_nothing_outside_a_folder_is_served(hub: FakeHub) -> None:
    assert _get_status(hub, "/a/alpha/resolve/main/%2e%2e/alpha-evil/config.json") == (404, "EntryNotFound")
    assert _get_status(hub, "/a/alpha/resolve/main/../beta/config.json") == (404, "EntryNotFound")
    assert _get_status(hub, "/a/alpha/raw/main/config.json") == (404, "EntryNotFound")
    assert _get_status(hub, "/api/models/c/unknown") == (404, "RepoNotFound")


def test_the_hub_is_a_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    thread = Thread(target=main, args=([f"--port={port}", f"a/alpha={tmp_path}"],), daemon=True)
    thread.start()
    (model,) = json.loads(_wait_for(f"http://127.0.0.1:{port}/api/models"))
    assert model["id"] == "a/alpha"


def _wait_for(url: str) -> bytes:
    for _ in range(2_000):
        try:
            with urlopen(url) as answer:
                return answer.read()
        except URLError:
            continue
    raise AssertionError(url)
