"""The demo's second project: a practice language model, served beside the site, reviews hard rows before people do.

The model is a fake (annotator_core.fakes.openai_server): it knows the demo's texts, errs on some, and costs nothing.
"""

import csv
import socket
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from annotator_core import demo
from annotator_core.verifiers.capability import Capability
from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.llm.actions.connections import Given, add_connection, change_connection
from labeling.llm.actions.prices import Tariff
from labeling.llm.models import Connection
from labeling.pipeline.demo import Say, demo_policy, demo_project, demo_run
from labeling.pipeline.supervise import ChildSpec
from labeling.projects.models import Project
from labeling.runs.actions import start_run
from labeling.runs.models import Mode, Run
from labeling.runs.policies import Policy
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError
from labeling.web.wording import NANO

SLUG = "demo-llm"
MODEL = "practice-1"
RIGHT = 0.85
"""Share of texts that it names rightly; chosen: better than the demo's specialists on hard rows, and no oracle."""
DELAY_MS, CONCURRENCY = 400, 6
"""Chosen: some 400 hard texts take half a minute, which a person can watch."""
TARIFF = Tariff(Decimal("0.15"), Decimal("0.075"), Decimal("0.60"))
"""Dollars a million tokens; chosen, of the size that a small model costs."""
ABLE = Capability(schema="json_schema", has_logprobs=True)
"""What a test of the connection would find: it is served once the run waits. How sure it is leaves rows to people."""
CAP_NANO = NANO
ANSWERS = "practice-model.csv"
HOST = "127.0.0.1"


def build_practice_demo(*, owner: User, say: Say, port: int) -> Run:
    """Its run in the mode LLM_THEN_HUMAN, started here for the workers of `up` unless there is one.

    Raises ActionError, also where OUTBOUND_ALLOW does not name the model's address.
    """
    project = demo_project(owner, SLUG, _("Demo: shop feedback with a language model"))
    connection = _connection(project, owner, port)

    def start(dataset: Dataset, versions: list[SpecialistVersion]) -> Run:
        policy = practice_policy(len(versions))
        return start_run(
            project=project,
            dataset=dataset,
            versions=versions,
            policy=policy,
            by=owner,
            verifiers=[connection],
            cap_nano=CAP_NANO,
        )

    return demo_run(project, owner, say, start)


def practice_policy(pool_size: int) -> Policy:
    """The demo's policy with a language model first, whose answer is one more vote."""
    return replace(demo_policy(pool_size), mode=Mode.LLM_THEN_HUMAN)


def practice_server(port: int) -> ChildSpec:
    """The model as a process that `up` keeps alive; it answers by the demo's gold labels."""
    path = _write_answers(Path(settings.DATA) / ANSWERS)
    served = ("--port", str(port), "--model", MODEL, "--answers", str(path), "--classes", *demo.CLASSES)
    told = ("--right", str(RIGHT), "--delay-ms", str(DELAY_MS))
    return ChildSpec("llm", ("annotator_core.fakes.openai_server", *served, *told))


def check_free(port: int) -> None:
    """Raises ActionError where the model cannot be served at this port."""
    try:
        socket.create_server((HOST, port)).close()
    except (OSError, OverflowError) as error:
        text = _("The practice model cannot be served at port %(port)d: another program may have it. Take another one.")
        raise ActionError(text % {"port": port}) from error


def _connection(project: Project, owner: User, port: int) -> Connection:
    """The project's connection to the model, at this port."""
    given = Given(_("Practice model (fake)"), f"http://{HOST}:{port}/v1", MODEL, concurrency=CONCURRENCY)
    found = Connection.objects.filter(project=project, model=MODEL, is_retired=False).first()
    if found is None:
        found = add_connection(project=project, given=given, key="", tariff=TARIFF, by=owner)
    elif found.base_url != given.base_url:
        change_connection(connection=found, given=replace(given, name=found.name))
    Connection.objects.filter(pk=found.pk).update(capability=ABLE.to_state())
    return found


def _write_answers(path: Path) -> Path:
    """A CSV of the demo's texts with their classes, as the fake reads it."""
    with demo.feedback_path().open(encoding="utf-8", newline="") as source:
        rows = [(row["text"], row["gold"]) for row in csv.DictReader(source)]
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("text", "label"))
        writer.writerows(rows)
    return path
