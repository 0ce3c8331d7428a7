"""Runs whose hard rows a fake language model reviews, over real HTTP."""

import hashlib
from contextlib import contextmanager
from datetime import date

import numpy as np

from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.fakes.specialist import FakeSettings, find_answer
from labeling.jobs.models import Chunk, Job
from labeling.labels.engine import pack
from labeling.labels.models import Vote
from labeling.llm.models import Connection, Price
from labeling.runs.actions import start_run
from labeling.runs.models import Mode
from labeling.runs.policies import Policy
from tests.labeling.factories import CLASSES, make_dataset
from tests.labeling.refinement.made_rounds import make_versions

DOLLAR = 1_000_000_000


@contextmanager
def serving(settings, **script):
    """A fake server that may be called; it knows the class that all fakes agree on, unless told otherwise."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    given = {"answerer": make_answerer(CLASSES, 1.0)} | script
    with FakeOpenAI(OpenAIScript(**given)) as server:
        yield server


def make_connection(project, server, name="fake", *, price=(1.0, 0.5, 2.0), **fields):
    """A connection to the server, with a price."""
    given = {"base_url": server.url, "model": server.script.model, "timeout_s": 5, "concurrency": 4} | fields
    connection = Connection.objects.create(project=project, name=name, **given)
    names = ("input_usd", "cached_usd", "output_usd")
    Price.objects.create(connection=connection, valid_from=date(2020, 1, 1), **dict(zip(names, price, strict=True)))
    return connection


def start(project, dataset, versions, connections, *, cap_nano=DOLLAR, **policy):
    """A run whose hard rows the connections review."""
    given = {"min_agree": len(versions), "seed": 7, "mode": Mode.LLM} | policy
    return start_run(
        project=project,
        dataset=dataset,
        versions=versions,
        policy=Policy(**given),
        by=None,
        verifiers=connections,
        cap_nano=cap_nano,
    )


def make_voted(project, texts, *, noise=0.4, sure=0.7, count=3):
    """A data set and a pool without files whose votes are stored: a run on them needs no inference."""
    dataset, versions = make_dataset(project, texts), make_versions(project, count)
    store_votes(dataset, versions, noise=noise, sure=sure)
    return dataset, versions


def store_votes(dataset, versions, *, noise=0.4, sure=0.7):
    """Each version names the class that all fakes agree on, or with probability `noise` (by text) the next one."""
    for sample in dataset.samples.all():
        for number, version in enumerate(versions):
            digest = hashlib.sha256(f"{number} {sample.text}".encode()).digest()
            right = find_answer(sample.text, FakeSettings(CLASSES))
            index = (right + (int.from_bytes(digest[:4]) < noise * 2**32)) % len(CLASSES)
            probs = np.full(len(CLASSES), (1 - sure) / (len(CLASSES) - 1), dtype=np.float32)
            probs[index] = sure
            Vote.objects.create(
                sample=sample,
                version=version,
                label_class_id=version.class_ids[index],
                top_probability=sure,
                probs=pack(probs[None])[0],
            )


def verify_job(run):
    return Job.objects.get(kind="verify", subject=run.pk)


def end_pauses():
    """The clock moves on: whatever is left alone may be asked again."""
    Chunk.objects.exclude(not_before=None).update(not_before=None)
    Connection.objects.update(quiet_until=None)
