"""An OpenAI-compatible server on the loopback: answers, fails, delays and breaks off as a script says.

Run it with ``python -m annotator_core.fakes.openai_server --port 8010 --classes negative positive`` and give
http://127.0.0.1:8010/v1 as the address of a connection.
"""

import argparse
import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final, Self

from annotator_core.fakes.openai_answers import complete, make_answerer, refuse
from annotator_core.fakes.openai_script import Asked, OpenAIScript, Step, fail, send

_DRIP: Final = 100
"""Bytes between two pauses."""


class FakeOpenAI:
    """A server on a free port of the loopback, serving while the ``with`` block runs."""

    def __init__(self, script: OpenAIScript, port: int = 0) -> None:
        """Bind the port at once (0 takes a free one); serving starts on entering."""
        self.script = script
        self._server = _Server(("127.0.0.1", port), script)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The address to give as base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop and free the port; delays end at once."""
        self._server.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        self._server.serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], script: OpenAIScript) -> None:
        super().__init__(address, _Handler)
        self.script, self.lock, self.open, self.stopped = script, Lock(), 0, Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet: two would wait for each other (Nagle) 40 ms a request.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._keep({})
        script = self.server.script
        if self.path.endswith("/models") and "models" not in script.lacks:
            listed = [{"id": name, "object": "model"} for name in script.listed or (script.model, *script.others)]
            self._send(send(_dump({"object": "list", "data": listed})))
        else:
            self._send(fail(404))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
        self._keep(body)
        if not self.path.endswith("/chat/completions"):
            self._send(fail(404))
            return
        server = self.server
        with server.lock:
            server.open += 1
            server.script.most_at_once = max(server.script.most_at_once, server.open)
            step = server.script.steps.pop(0) if server.script.steps else server.script.rest
        try:
            self._answer(step, body)
        finally:
            with server.lock:
                server.open -= 1

    def _write(self, body: bytes, drip_s: float) -> None:
        size = _DRIP if drip_s else max(1, len(body))
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            self.server.stopped.wait(drip_s)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        """Keep the request instead of printing it."""

    def _keep(self, body: Mapping[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.script.asked.append(Asked(self.command, self.path, headers, body))

    def _answer(self, step: Step, body: Mapping[str, Any]) -> None:
        script = self.server.script
        self.server.stopped.wait(step.delay_s)
        refused = refuse(script, body, self.headers.get("Authorization", ""))
        if step.is_dropped:
            self.close_connection = True
        elif refused is not None:
            self._send(refused)
        elif step.body is not None:
            self._send(step)
        else:
            self._send(replace(step, body=_dump(complete(script, step, body))))

    def _send(self, step: Step) -> None:
        body = step.body or b""
        with suppress(OSError):
            self.send_response(step.status)
            for name, value in step.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", step.content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._write(body[: step.cut_after], step.drip_s)
        self.close_connection = self.close_connection or step.cut_after is not None


def _dump(value: object) -> bytes:
    return json.dumps(value).encode()


def main(arguments: list[str] | None = None) -> None:
    """Serve as the command line says until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m annotator_core.fakes.openai_server", description="A fake language model."
    )
    parser.add_argument("--port", type=int, default=8010)
    parser.add_argument("--model", default="fake-model")
    parser.add_argument("--classes", nargs="+", required=True, help="the classes that it knows")
    parser.add_argument("--right", type=float, default=0.8, help="share of texts that get their own class")
    parser.add_argument("--answers", type=Path, help="a CSV with the columns text and label: each text's own class")
    parser.add_argument("--delay-ms", type=float, default=50.0)
    options = parser.parse_args(arguments)
    answerer = make_answerer(options.classes, options.right, _read_answers(options.answers))
    script = OpenAIScript(answerer, rest=Step(delay_s=options.delay_ms / 1_000), model=options.model)
    FakeOpenAI(script, options.port).serve_forever()


def _read_answers(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["text"]: row["label"] for row in csv.DictReader(file)}


if __name__ == "__main__":
    main()
