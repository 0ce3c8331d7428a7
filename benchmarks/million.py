"""A million rows: import (C29, C32), pages at that size (C42, C43), uploads above the limit (C26, C27)."""

import os
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.client import fetch, percentile, sign_in
from benchmarks.files import PAGES, write_rows
from benchmarks.main_job import make_project, wait_for
from benchmarks.report import table, write
from benchmarks.scratch_site import ROOT, ScratchSite

ROWS = 1_000_000
FEW = 1_000
FOLDER = ROOT / ".benchmarks" / "million"
LIMIT = 500_000_000
TOO_LARGE = 1_000_000_000


def run_import(project: Any, owner: Any, path: Path) -> float:
    """Seconds from the start of the import job to its end."""
    from labeling.datasets.actions.imports import start_import
    from labeling.datasets.actions.uploads import Plan, receive_stream
    from labeling.datasets.models import Upload, UploadState
    from labeling.datasets.readers.parts import Columns, Reading

    with path.open("rb") as stream:
        upload = receive_stream(project=project, stream=stream, filename=path.name, by=owner)
    started = time.monotonic()
    start_import(upload=upload, plan=Plan(reading=Reading(), columns=Columns(text="text", id="id")))
    wait_for(lambda: Upload.objects.get(pk=upload.pk).state == UploadState.DONE, every_s=0.05)
    return time.monotonic() - started


def refuse_upload(port: int, path: str, cookies: str, *, is_announced: bool) -> tuple[int, float]:
    """(status, seconds until the answer) of a body of 1 GB, with its length in the header or sent in chunks."""
    length = f"Content-Length: {TOO_LARGE}" if is_announced else "Transfer-Encoding: chunked"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n{length}\r\nContent-Type: text/csv\r\n\r\n"
    block = b"x" * 65_536
    piece = block if is_announced else b"10000\r\n" + block + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        started = time.perf_counter()
        connection.sendall(head.encode())
        try:
            for _piece in range(TOO_LARGE // len(block)):
                connection.sendall(piece)
        except OSError:
            pass  # the server has answered and closed
        try:
            answer = connection.recv(64)
        except OSError:
            answer = b"HTTP/1.1 000"
        return int(answer.split()[1]), time.perf_counter() - started


def time_page(port: int, path: str, cookies: str, n: int) -> list[float]:
    """Seconds of `n` requests, one after the other."""
    return [fetch(port, path, cookies)[3] for _request in range(n)]


def measure_uploads(site: ScratchSite, project: Any, cookies: str) -> list[tuple[str, str, str]]:
    """How fast a too large upload is refused, and what other people feel of it."""
    data, home = f"/p/{project.slug}/data", f"/p/{project.slug}/"
    status, seconds = refuse_upload(site.port, data, cookies, is_announced=True)
    quiet = time_page(site.port, home, cookies, 60)
    busy: list[float] = []
    others = threading.Thread(target=lambda: busy.extend(time_page(site.port, home, cookies, 60)))
    others.start()
    refuse_upload(site.port, data, cookies, is_announced=False)
    others.join()
    ratio = percentile(busy, 0.95) / percentile(quiet, 0.95)
    return [
        (f"C26 1 GB announced to a limit of 500 MB: answer {status} after, seconds", f"{seconds:.3f}", "1"),
        ("C27 p95 of others' pages while 1 GB comes in without its length, over p95 without", f"{ratio:.2f}", "-"),
    ]


def measure(site: ScratchSite) -> list[tuple[str, str, str]]:
    """All rows of the table."""
    few, many = FOLDER / "few.csv", FOLDER / "many.csv"
    write_rows(few, FEW)
    size = write_rows(many, ROWS)
    project, owner = make_project()
    site.open()
    wait_for(lambda: bool(site.processes("light")))
    empty_s = run_import(project, owner, few)
    many_s = run_import(project, owner, many)
    peak = site.peak_mb("light")
    full_s = run_import(project, owner, few)
    cookies = sign_in(owner)
    rows = [
        (f"C32 import of {ROWS:,} rows ({size:.0f} MB), seconds", f"{many_s:.0f}", "-"),
        ("C32 peak memory of the light worker, MB", f"{peak:.0f}", "512"),
        (
            f"C29 import of {FEW:,} rows beside {ROWS:,}, over the same into an empty project",
            f"{full_s / empty_s:.2f}",
            "-",
        ),
    ]
    for page in (page for page in PAGES if not page.startswith("runs/1")):
        slowest = max(time_page(site.port, f"/p/{project.slug}/{page}", cookies, 3))
        rows.append((f"C42, C43 page /p/…/{page} at {ROWS:,} samples, slowest of 3, seconds", f"{slowest:.3f}", "1"))
    return rows + measure_uploads(site, project, cookies)


def main() -> None:
    """Write docs/benchmarks/million.md."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    settings = {"UPLOAD_MAX_BYTES": str(LIMIT)}
    with ScratchSite(FOLDER, settings) as site:
        os.environ.update(settings, AUTOANNOTATOR_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        write("million", "A million rows", table(("measure", "value", "must be under"), measure(site)))


if __name__ == "__main__":
    main()
