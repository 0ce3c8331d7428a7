"""A minimal model hub over HTTP: serves folders as the Hub does, for huggingface_hub and transformers.

Run it with ``python -m annotator_core.fakes.hub --port 8009 owner/name=FOLDER ...`` and point HF_ENDPOINT at it.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from annotator_core.fakes.hub_search import Step, find_models, take_step
from annotator_core.paths import is_inside


@dataclass(slots=True)
class HubContent:
    """What a fake hub serves and what it was asked.

    models: id to folder. gated: ids that answer 403. lost: ids that the search still lists, but that are gone. facts:
    what the API says of an id beyond its files (downloads, likes, tags, gated, sha). steps: what goes wrong, see
    `hub_search.Step`. cut_after: for file names, how many bytes the first download gets before the connection is cut.
    requests: ``METHOD path`` of every request so far.
    """

    models: Mapping[str, Path]
    gated: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    facts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    cut_after: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


class FakeHub:
    """A hub on a free port of the loopback, serving while the ``with`` block runs."""

    def __init__(self, content: HubContent, port: int = 0) -> None:
        """Bind the port at once (0 takes a free one); serving starts on entering."""
        self.content = content
        self._server = _Server(("127.0.0.1", port), content)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The address to give as endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._server.serve_forever()


def find_commit(folder: Path) -> str:
    """Return the commit of a folder: 40 hex characters over its files."""
    digest = hashlib.sha1(usedforsecurity=False)
    for path in _list(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _list(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], content: HubContent) -> None:
        super().__init__(address, _Handler)
        self.content = content

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        """Keep the request instead of printing it."""

    def _answer(self) -> None:
        content = self.server.content
        content.requests.append(f"{self.command} {self.path}")
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        if step := take_step(content.steps, url.path):
            self._misbehave(step)
            return
        if parts == ["api", "models"]:
            summaries = [_summarise(content, model_id) for model_id in sorted(content.models)]
            self._send_json(find_models(summaries, parse_qs(url.query)))
            return
        is_api = parts[:2] == ["api", "models"]
        model_id, rest = _split_id(parts[2:] if is_api else parts, content.models)
        if model_id in content.gated:
            self._send_error(403, "GatedRepo")
        elif not model_id or model_id in content.lost:
            self._send_error(404, "RepoNotFound")
        elif is_api:
            self._answer_api(model_id, rest)
        else:
            self._answer_file(content.models[model_id], rest)

    def _answer_api(self, model_id: str, rest: list[str]) -> None:
        folder = self.server.content.models[model_id]
        if len(rest) > 1 and rest[1] not in ("main", find_commit(folder)):
            self._send_error(404, "RevisionNotFound")
        elif rest[:1] == ["tree"]:
            under = folder.joinpath(*rest[2:])
            self._send_json([_describe(folder, path) for path in _list(folder) if path.is_relative_to(under)])
        else:
            siblings = [
                {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size}
                for path in _list(folder)
            ]
            self._send_json({"siblings": siblings} | _summarise(self.server.content, model_id))

    def _answer_file(self, folder: Path, rest: list[str]) -> None:
        path = folder.joinpath(*rest[2:])
        if rest[:1] != ["resolve"] or not is_inside(folder, path) or not path.is_file():
            self._send_error(404, "EntryNotFound")
            return
        body = path.read_bytes()
        start = _read_range(self.headers.get("Range"))
        headers = {"ETag": f'"{_hash(path)}"', "X-Repo-Commit": find_commit(folder), "Accept-Ranges": "bytes"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        cut = self.server.content.cut_after.pop(path.name, None) if self.command == "GET" else None
        self._send(206 if start else 200, body[start:], headers, cut)

    def _misbehave(self, step: Step) -> None:
        step.wait()
        if step.is_dropped:
            self.close_connection = True
        else:
            self._send(step.status, step.body, step.headers)

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send_error(self, status: int, code: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code, "Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True


def _split_id(parts: list[str], known: Iterable[str]) -> tuple[str, list[str]]:
    for n_parts in (2, 1):
        model_id = "/".join(parts[:n_parts])
        if model_id in known:
            return model_id, parts[n_parts:]
    return "", parts


def _summarise(content: HubContent, model_id: str) -> dict[str, object]:
    summary: dict[str, object] = {
        "id": model_id,
        "modelId": model_id,
        "sha": find_commit(content.models[model_id]),
        "private": False,
        "tags": ["text-classification"],
        "pipeline_tag": "text-classification",
        "downloads": 0,
        "likes": 0,
    }
    return summary | dict(content.facts.get(model_id, {}))


def _describe(folder: Path, path: Path) -> dict[str, object]:
    name = path.relative_to(folder).as_posix()
    return {"type": "file", "path": name, "size": path.stat().st_size, "oid": _hash(path)}


def _hash(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()


def _read_range(header: str | None) -> int:
    return int(header.removeprefix("bytes=").partition("-")[0]) if header else 0


def main(arguments: list[str] | None = None) -> None:
    """Serve the folders named on the command line until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m annotator_core.fakes.hub", description="A minimal model hub.")
    parser.add_argument("--port", type=int, default=8009)
    parser.add_argument("models", nargs="+", metavar="ID=FOLDER")
    options = parser.parse_args(arguments)
    pairs = [model.partition("=") for model in options.models]
    FakeHub(HubContent({model_id: Path(folder) for model_id, _, folder in pairs}), options.port).serve_forever()


if __name__ == "__main__":
    main()
