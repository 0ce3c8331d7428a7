"""Asking a language model: calls a second against a server that takes 500 ms, and what a cap lets through.

`python -m benchmarks.verifier [--quick]`. Writes docs/benchmarks/verifier.md, in about six minutes on two cores.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
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


def main():
    """Writes docs/benchmarks/verifier.md, unless it is a quick run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; writes no file")
    is_quick = parser.parse_args().quick
    rows = _measure_all(2 if is_quick else ROUNDS, 200 if is_quick else TEXTS)
    header = (
        "calls at once",
        "asked by",
        "calls",
        "seconds",
        "calls a second",
        "share of what is possible",
        "at least",
    )
    text = (
        f"Throughput against a server in a process of its own that takes {DELAY_S * 1_000:.0f} ms for an answer, over "
        f"real HTTP, with JSON schema and log-probabilities. Possible are concurrency / {DELAY_S} s. A run is one of "
        "the site, verified by its own worker beside its votes, with the connection's seats and the ledger, from the "
        f"first call until its last row has its label.\n\n{table(header, rows)}\n\n"
        "A hard cap with 10,000 questions and 16 calls at once, where the answer to every twentieth call is lost (it "
        f"is booked at its reserve):\n\n{table(('measure', 'value', 'must be at most'), _spend())}"
    )
    if is_quick:
        print(text)
    else:
        write("verifier", "Asking a language model", text)


def _measure_all(rounds, texts):
    """The table's rows: the engine with either ledger, then a site's runs."""
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
    rate = count / seconds
    share = f"{rate / (concurrency / DELAY_S):.3f}"
    row = (
        concurrency,
        asked_by,
        count,
        f"{seconds:.1f}",
        f"{rate:.1f}",
        share,
        BAR if concurrency == CONCURRENCY else "-",
    )
    print(*row, flush=True)
    return row


def _spend():
    script = OpenAIScript(make_answerer(CLASSES), [DROP if number % 20 == 7 else OK for number in range(2_000)])
    ledger = MemoryLedger(cap_nano=NANO)
    with FakeOpenAI(script) as server, _open(server.url) as asker:
        try:
            list(_ask(asker, ledger, 16, 10_000))
        except BudgetReached:
            lost = sum(one.failure is not None for one in ledger.settled)
            return [
                ("spent, lost answers included, USD", f"{ledger.spent_nano / NANO:.4f}", "1.0000"),
                ("set aside at the end, USD", f"{ledger.reserved_nano / NANO:.4f}", "0.0000"),
                ("requests that the server saw beyond those settled", len(script.asked) - len(ledger.settled), 0),
                ("calls answered", len(ledger.stored), "-"),
                ("answers lost", lost, "-"),
            ]
    raise AssertionError("the cap was not reached")


if __name__ == "__main__":
    main()
