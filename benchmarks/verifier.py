"""Asking a language model: calls a second against a server that takes 500 ms, and what a cap lets through.

`python -m benchmarks.verifier [--quick]`. Writes docs/benchmarks/verifier.md, in about six minutes on two cores, and
ends with 1 where a bar is missed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_connection, socket

from annotator_core.errors import BudgetReached
from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import DROP, OK, OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.verifiers.capability import Capability
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import NANO, Plan, Price, Question
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Pace
from benchmarks.bars import Bar, tell_missed
from benchmarks.report import table, write
from benchmarks.scratch_site import ROOT, ScratchSite
from benchmarks.verifier_site import CONCURRENCY, Office

CLASSES = ("negative", "neutral", "positive")
DELAY_S, ROUNDS, BAR = 0.5, 30, 0.9
TEXTS = 2_400
"""Of a run, some three quarters of them hard: a minute of questions, which come in parts of 500."""
FOLDER = ROOT / ".benchmarks" / "verifier"
SETTINGS = {"AUTOANNOTATOR_TESTING": "on", "OUTBOUND_ALLOW": "127.0.0.1"}
PRICE = Price(20.0, 10.0, 80.0)
HEADER = (
    "calls at once",
    "asked by",
    "calls",
    "seconds",
    "calls a second",
    "share of what is possible",
    "at least",
    "bar",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """So many calls in so many seconds, with so many at once."""

    at_once: int
    asked_by: str
    count: int
    seconds: float

    @property
    def bar(self) -> Bar:
        """The share of what is possible, which must reach BAR at the concurrency of the runs."""
        share = self.count / self.seconds / (self.at_once / DELAY_S)
        least = BAR if self.at_once == CONCURRENCY else None
        return Bar(f"{self.asked_by}, {self.at_once} calls at once", share, unit="", least=least)

    @property
    def cells(self):
        """A line of the table."""
        rate, least = self.count / self.seconds, "-" if self.bar.least is None else BAR
        figures = (f"{self.seconds:.1f}", f"{rate:.1f}", f"{self.bar.value:.3f}")
        return self.at_once, self.asked_by, self.count, *figures, least, self.bar.verdict


def main():
    """0, or 1 where a bar is missed. Writes docs/benchmarks/verifier.md; a quick run writes and judges nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; writes no file")
    is_quick = parser.parse_args().quick
    measures = _measure_all(2 if is_quick else ROUNDS, 200 if is_quick else TEXTS)
    text, is_missed = report(measures, _spend())
    if is_quick:
        print(text)
        return 0
    write("verifier", "Asking a language model", text)
    return int(is_missed)


def report(measures, spent):
    """The page's text, and whether a bar is missed. spent: (bar, value as shown, most as shown) of the hard cap."""
    bars = [*(one.bar for one in measures), *(bar for bar, _value, _most in spent)]
    lines = [(bar.name, value, most, bar.verdict) for bar, value, most in spent]
    text = (
        f"{tell_missed(bars)}\n\n"
        f"Throughput against a server in a process of its own that takes {DELAY_S * 1_000:.0f} ms for an answer, over "
        f"real HTTP, with JSON schema and log-probabilities. Possible are concurrency / {DELAY_S} s. A run is one of "
        "the site, verified by its own worker beside its votes, with the connection's seats and the ledger, from the "
        f"first call until its last row has its label.\n\n{table(HEADER, [one.cells for one in measures])}\n\n"
        "A hard cap with 10,000 questions and 16 calls at once, where the answer to every twentieth call is lost (it "
        f"is booked at its reserve):\n\n{table(('measure', 'value', 'must be at most', 'bar'), lines)}"
    )
    return text, any(bar.is_missed for bar in bars)


def _measure_all(rounds, texts):
    """What is measured: the engine with either ledger, then a site's runs."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ScratchSite(FOLDER, SETTINGS) as site, _serve() as url:
        rows = [
            _measure(url, at_once, rounds, "the engine, ledger in memory", _memory_ledger) for at_once in (4, 16, 64)
        ]
        os.environ.update(SETTINGS, AUTOANNOTATOR_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        site.open()
        office = Office(FOLDER, url)
        rows.append(_measure(url, 16, rounds, "the engine, ledger in SQLite", _site_ledger(office)))
        names = {1: "a run of the site, in SQLite", 2: "two runs at once, in SQLite"}
        rows += [_tell(CONCURRENCY, name, *office.verify(runs, texts)) for runs, name in names.items()]
    return rows


def _memory_ledger(_count):
    return MemoryLedger()


def _site_ledger(office):
    """A maker of the site's own ledgers, each for another run with room enough."""
    from labeling.llm.actions.budgets import set_cap
    from labeling.llm.actions.calls import BookedLedger

    project, _owner = office.project_and_owner

    def make(run):
        # No run of the project has such a number.
        number = 1_000_000 + run
        set_cap(project=project, run=number, cap_nano=1_000 * NANO)
        return BookedLedger(project.pk, number, 0, 0, office.connection)

    return make


@contextmanager
def _serve():
    """The address of a fake server in another process, ready to answer."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "annotator_core.fakes.openai_server", "--port", str(port), "--classes", *CLASSES]
    server = subprocess.Popen([*command, "--delay-ms", str(DELAY_S * 1_000)])
    try:
        for _try in range(300):
            try:
                create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def _open(url):
    endpoint = Endpoint(url, "fake-model", "a-key", 30.0, PRICE, Capability("json_schema", has_logprobs=True))
    return OpenAIAsker(endpoint, allow=("127.0.0.1",))


def _ask(asker, ledger, concurrency, count):
    questions = (Question(number, f"this is text {number} of {count}") for number in range(count))
    return ask_all(questions, Plan(CLASSES), asker, ledger, Pace(concurrency), price=PRICE)


def _measure(url, concurrency, rounds, asked_by, make_ledger):
    with _open(url) as asker:
        # The client's import and the first connections are no part of it.
        list(_ask(asker, make_ledger(concurrency), concurrency, concurrency))
        count = rounds * concurrency
        started = time.perf_counter()
        verdicts = list(_ask(asker, make_ledger(count), concurrency, count))
        seconds = time.perf_counter() - started
    assert len(verdicts) == count
    return _tell(concurrency, asked_by, count, seconds)


def _tell(concurrency, asked_by, count, seconds):
    measure = Measure(concurrency, asked_by, count, seconds)
    print(*measure.cells, flush=True)
    return measure


def _spend():
    """What a hard cap let through: (bar, value as shown, most as shown)."""
    script = OpenAIScript(make_answerer(CLASSES), [DROP if number % 20 == 7 else OK for number in range(2_000)])
    ledger = MemoryLedger(cap_nano=NANO)
    with FakeOpenAI(script) as server, _open(server.url) as asker:
        try:
            list(_ask(asker, ledger, 16, 10_000))
        except BudgetReached:
            lost = sum(one.failure is not None for one in ledger.settled)
            beyond = len(script.asked) - len(ledger.settled)
            spent, reserved = ledger.spent_nano / NANO, ledger.reserved_nano / NANO
            return [
                (Bar("spent, lost answers included, USD", spent, 1.0), f"{spent:.4f}", "1.0000"),
                (Bar("set aside at the end, USD", reserved, 0.0), f"{reserved:.4f}", "0.0000"),
                (Bar("requests that the server saw beyond those settled", beyond, 0), beyond, 0),
                (Bar("calls answered", len(ledger.stored)), len(ledger.stored), "-"),
                (Bar("answers lost", lost), lost, "-"),
            ]
    raise AssertionError("the cap was not reached")


if __name__ == "__main__":
    sys.exit(main())
