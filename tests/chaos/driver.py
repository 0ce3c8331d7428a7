"""A real site under `manage.py up` in a folder of its own, an annotator over HTTP, and kill -9."""

import json
import re
import subprocess
import sys
import threading
import time
import uuid
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from benchmarks.scratch_site import ROOT, ScratchSite

TOKEN = "t" * 32
DEADLINE_S = 400


class Site(ScratchSite):
    """A site with short leases and fakes allowed, and scenario steps in a process beside it."""

    def __init__(self, folder, database_url=""):
        fast = {"LEASE_S": "3", "SWEEP_S": "0.5", "CHUNK_ROWS": "40", "AUTOANNOTATOR_TESTING": "on"}
        super().__init__(folder, fast | ({"DATABASE_URL": database_url} if database_url else {}))
        self.beside = None

    def __exit__(self, *error):
        if self.beside:
            self.beside.communicate()
        super().__exit__(*error)

    def step(self, *arguments):
        """One step in the process beside the site, which is started once."""
        if self.beside is None:
            command = [sys.executable, "-m", "tests.chaos.scenario"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.beside = subprocess.Popen(command, cwd=ROOT, env=self.environment, **pipes)
        self.beside.stdin.write(json.dumps(arguments).encode() + b"\n")
        self.beside.stdin.flush()
        return json.loads(self.beside.stdout.readline())

    def wait(self, is_over, every_s=0.5):
        """Ask until `is_over(answer)`; the answer."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            answer = self.step("status")
            if is_over(answer):
                return answer
            threading.Event().wait(every_s)
        raise TimeoutError(f"{answer}\n{(self.folder / 'up.log').read_text(errors='replace')[-4000:]}")


class Annotator(threading.Thread):
    """Decides whatever the screen shows, and sends an answer again until it is acknowledged."""

    def __init__(self, site, session, classes):
        super().__init__(daemon=True)
        self.site, self.classes = site, classes
        self.headers = {
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.acknowledged = []
        self.is_leaving = threading.Event()

    def run(self):
        while not self.is_leaving.is_set():
            status, page = self.ask("GET", "/p/chaos/label")
            item = re.search(r'name="item"[^>]*value="(\d+)"', page) if status == 200 else None
            if item is None:
                self.is_leaving.wait(0.2)
                continue
            self.decide(item[1])

    def decide(self, item):
        client_id = str(uuid.uuid4())
        body = urlencode({"item": item, "label_class": self.classes[int(item) % 3], "client_id": client_id})
        while not self.is_leaving.is_set():
            status, _page = self.ask("POST", "/p/chaos/label/decide", body)
            if status in {200, 302, 303}:
                self.acknowledged.append(client_id)
                return
            self.is_leaving.wait(0.1)

    def ask(self, method, path, body=None):
        """(status, page); status 0 when nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.site.port, timeout=10)
        try:
            connection.request(method, path, body, self.headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()


def live_through(site, kills, rows=400, delay_s=0.004):
    """The whole job with `kills` [(seconds after the start, component)] on the way; (what holds, kills that hit)."""
    setup = site.step("setup", rows, delay_s)
    site.open()
    annotator = Annotator(site, setup["session"], setup["classes"])
    annotator.start()
    hits = []
    killer = threading.Thread(target=_kill_on_time, args=(site, kills, hits), daemon=True)
    killer.start()
    while not site.step("start")["is_started"]:
        threading.Event().wait(0.2)
    site.wait(lambda answer: answer["is_done"] or answer["dead"])
    killer.join()
    site.step("export")
    over = site.wait(lambda answer: answer["is_exported"] or answer["dead"])
    annotator.is_leaving.set()
    annotator.join()
    return site.step("verify", rows, *annotator.acknowledged) | {"no dead part": not over["dead"]}, hits


def _kill_on_time(site, kills, hits):
    start = time.monotonic()
    for after_s, component in sorted(kills):
        threading.Event().wait(max(0.0, start + after_s - time.monotonic()))
        while not site.kill(component):  # its successor may not be up yet
            threading.Event().wait(0.1)
        hits.append(component)
