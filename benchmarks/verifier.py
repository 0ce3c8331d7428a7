"""Asking a language model: calls a second against a server that takes 500 ms, and what a cap lets through."""

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

CLASSES = ("negative", "neutral", "positive")
DELAY_S, ROUNDS, BAR = 0.5, 30, 0.9
FOLDER, TESTING = ROOT / ".benchmarks" / "verifier", {"AUTOANNOTATOR_TESTING": "on"}
PRICE = Price(20.0, 10.0, 80.0)


def main():
    """Writes docs/benchmarks/verifier.md."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ScratchSite(FOLDER, TESTING), _serve() as url:
        rows = [_measure(url, concurrency, "in memory", _memory_ledger) for concurrency in (4, 16, 64)]
        os.environ.update(TESTING, AUTOANNOTATOR_DATA=str(FOLDER), DJANGO_SETTINGS_MODULE="labeling.conf.settings")
        import django

        django.setup()
        rows.append(_measure(url, 16, "the site's, in SQLite", _site_ledger(url)))
    header = ("calls at once", "ledger", "calls", "seconds", "calls a second", "share of what is possible", "at least")
    text = (
        f"Throughput against a server in a process of its own that takes {DELAY_S * 1_000:.0f} ms for an answer, over "
        f"real HTTP, with JSON schema and log-probabilities. Possible are concurrency / {DELAY_S} s.\n\n"
        f"{table(header, rows)}\n\n"
        "A hard cap with 10,000 questions and 16 calls at once, where the answer to every twentieth call is lost (it "
        f"is booked at its reserve):\n\n{table(('measure', 'value', 'must be at most'), _spend())}"
    )
    write("verifier", "Asking a language model", text)


def _memory_ledger(_count):
    return MemoryLedger()


def _site_ledger(url):
    """A maker of the site's own ledgers, each for another run with room enough."""
    from benchmarks.main_job import make_project
    from labeling.llm.actions.budgets import set_cap
    from labeling.llm.actions.calls import BookedLedger
    from labeling.llm.models import Connection

    project, _owner = make_project()
    connection = Connection.objects.create(project=project, name="fake", base_url=url, model="fake-model")

    def make(run):
        set_cap(project=project, run=run, cap_nano=1_000 * NANO)
        return BookedLedger(project.pk, run, 0, 0, connection)

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


def _measure(url, concurrency, ledger, make_ledger):
    with _open(url) as asker:
        # The client's import and the first connections are no part of it.
        list(_ask(asker, make_ledger(concurrency), concurrency, concurrency))
        count = ROUNDS * concurrency
        started = time.perf_counter()
        verdicts = list(_ask(asker, make_ledger(count), concurrency, count))
        seconds = time.perf_counter() - started
    assert len(verdicts) == count
    rate = count / seconds
    share = f"{rate / (concurrency / DELAY_S):.3f}"
    return concurrency, ledger, count, f"{seconds:.1f}", f"{rate:.1f}", share, BAR if concurrency == 16 else "-"


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
