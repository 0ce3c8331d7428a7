"""Answers of language models as a run stores them, made by hand: what pages show depends on rows alone."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.jobs.actions import set_state
from labeling.jobs.models import Job, JobState
from labeling.labels.models import VerifierAnswer
from labeling.llm.models import Budget, CallState, Connection, LlmCall, Price, Spending
from labeling.runs.models import PoolMember, Run, RunVerifier
from labeling.specialists.models import Specialist, SpecialistVersion
from tests.labeling.factories import make_dataset, make_project, make_run

DOLLAR = 1_000_000_000
PROMPT = [
    {"role": "system", "content": "You must respond with only one of these labels."},
    {"role": "user", "content": "Input sentence: '<b>zero</b>'"},
]


def make_connection(project, name="Practice", *, price=(1, 0, 2), **fields):
    """A connection that nobody answers at; `price` in dollars a million tokens in, cached, out."""
    given = {"base_url": "http://127.0.0.1:9/v1", "model": "fake-1", "encrypted_key": "sealed-secret"} | fields
    connection = Connection.objects.create(project=project, name=name, **given)
    if price:
        usd = dict(zip(("input_usd", "cached_usd", "output_usd"), map(Decimal, price), strict=True))
        Price.objects.create(connection=connection, valid_from=date(2026, 1, 1), **usd)
    return connection


def make_verified(run, *connections, mode="llm_then_human", cap=DOLLAR, **fields):
    """Turn a run into one that the connections verify in; returns its job, which is at work."""
    Run.objects.filter(pk=run.pk).update(mode=mode, **fields)
    for position, connection in enumerate(connections):
        RunVerifier.objects.create(run=run, connection=connection, position=position)
    run.refresh_from_db()
    Budget.objects.create(project=run.project, run=run.pk, cap_nano=cap)
    job = {"stage": "ask", "state": JobState.RUNNING, "is_dirty": False, "total": run.asking}
    return Job.objects.create(project=run.project, kind="verify", subject=run.pk, **job)


def make_spent(run, connection, *, stored=10, cost=140_000, **fields):
    """What a run's answered calls took: each 100 tokens in, 20 out, and `cost` nano-dollars."""
    sums = {"stored": stored, "tokens_in": 100 * stored, "tokens_out": 20 * stored, "cost_nano": cost * stored}
    given = {"project": run.project, "run": run.pk, "connection": connection, "purpose": "verify"} | sums | fields
    Budget.objects.filter(run=run.pk).update(spent_nano=F("spent_nano") + given["cost_nano"])
    return Spending.objects.create(minute=timezone.now(), **given)


def make_call(of, sample, connection, **fields):
    """A call of a run about a sample."""
    number = LlmCall.objects.count()
    given = {
        "messages": PROMPT,
        "state": CallState.STORED,
        "content": '{"label": "negative", "reason": "It came late."}',
        "tokens_in": 100,
        "tokens_out": 20,
        "cost_nano": 140_000,
        "latency_ms": 512,
        "model": connection.model,
        "key": f"{number:064x}",
    }
    own = {"project": of.project, "run": of.pk, "sample": sample.pk, "connection": connection}
    return LlmCall.objects.create(**(own | given | fields))


def make_answer(run, sample, connection, label="negative", **fields):
    """An answer with its one call; `label` None for an abstention."""
    call = fields.pop("call", None) or make_call(run, sample, connection)
    given = {
        "label_class": run.project.classes.get(name=label) if label else None,
        "outcome": "answered" if label else "refused",
        "confidence": 0.8 if label else None,
        "reason": "It came late.",
        "prompt_version": "zero-1",
        "model": connection.model,
    }
    return VerifierAnswer.objects.create(
        run=run, sample=sample, text_hash=sample.text_hash, connection=connection, call=call, **(given | fields)
    )


def live_verified(staff):
    """A project with two runs that a model reviews: one at work, one that has reached its cap."""
    project = make_project(staff, name="Verified")
    connection = make_connection(project)
    for name in ("At work", "Stopped"):
        run = make_run(make_dataset(project, [f"{name} {number}" for number in range(40)]), hard=set(range(20)))
        make_member(run)
        job = make_verified(run, connection, asking=8, verified=9)
        make_spent(run, connection, stored=12)
        if name == "Stopped":
            with transaction.atomic():
                set_state(job=job, state=JobState.PAUSED, error="The budget is reached. <b>Raise</b> the cap to go on.")
        sample = run.dataset.samples.first()
        make_call(run, sample, connection, state=CallState.LOST, status=500)
        make_answer(run, sample, connection, reason="It came late. <img src=x onerror=alert(1)>")
    return project


def make_member(run):
    """A specialist in the run's first generation, whose votes nobody asks for."""
    specialist = Specialist.objects.create(project=run.project, name=f"of {run}", source="folder", location="x")
    class_ids = list(run.project.classes.values_list("id", flat=True))
    fields = {"number": 1, "weights_hash": "x", "model_labels": [], "targets": [], "max_length": 9}
    version = SpecialistVersion.objects.create(specialist=specialist, class_ids=class_ids, **fields)
    return PoolMember.objects.create(generation=run.generations.get(number=0), version=version, position=0)
