"""The verifier's columns, and what a manifest says of it."""

import json

import pytest

from labeling.exports.columns import OWN_COLUMNS
from labeling.exports.manifest import build_manifest
from labeling.exports.models import Export
from labeling.exports.queries import read_pages, read_source
from labeling.exports.rows import build_rows
from labeling.exports.verification import _address
from labeling.labels.models import Label
from tests.labeling.asked import DOLLAR, make_answer, make_connection, make_spent, make_verified
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db
TEXTS = ["zero", "one", "two", "zero"]


@pytest.fixture
def run():
    return make_run(make_dataset(make_project(make_user("ada")), TEXTS), hard={0, 2, 3})


@pytest.fixture
def connection(run):
    found = make_connection(run.project, base_url="https://user:secret@llm.example.org:8443/v1?key=secret")
    make_verified(run, found, mode="llm", ask_strategy="few-shot", asking=1, verified=2)
    return found


def columns(dataset):
    """(verifier, label, reason) of each row."""
    source = read_source(dataset)
    place = OWN_COLUMNS.index("verifier")
    return [row.values[place : place + 3] for page in read_pages(source) for row in build_rows(source, page)]


def test_a_run_by_people_leaves_the_columns_empty(run):
    assert columns(run.dataset) == [(None, None, None)] * 4


def test_a_row_says_which_model_answered_what_and_why(run, connection):
    make_answer(run, run.dataset.samples.get(position=0), connection)
    answered = ("Practice (fake-1)", "negative", "It came late.")
    assert columns(run.dataset) == [answered, (None, None, None), (None, None, None), answered]


def test_an_abstention_has_no_class(run, connection):
    make_answer(run, run.dataset.samples.get(position=2), connection, None, reason="")
    assert columns(run.dataset)[2] == ("Practice (fake-1)", None, None)


def test_several_models_stand_side_by_side(run, connection):
    sample = run.dataset.samples.get(position=2)
    make_answer(run, sample, connection)
    make_answer(run, sample, make_connection(run.project, "Other", model="m2"), None, reason="I cannot say.")
    assert columns(run.dataset)[2] == (
        "Practice (fake-1); Other (m2)",
        "Practice=negative; Other=(abstained)",
        "Practice: It came late.; Other: I cannot say.",
    )


def test_the_run_that_gave_the_label_answers_before_the_newest(run, connection):
    samples = list(run.dataset.samples.order_by("position")[:3])
    for sample in samples:
        make_answer(run, sample, connection, "neutral")
    type(run).objects.filter(pk=run.pk).update(state="done")
    newer = make_run(run.dataset, hard=set())
    make_verified(newer, connection)
    make_answer(newer, samples[0], connection)
    Label.objects.filter(sample=samples[0]).update(run=run)
    Label.objects.filter(sample=samples[1]).update(run=newer)
    assert [label for _who, label, _why in columns(run.dataset)] == ["neutral", None, None, "negative"]


@pytest.mark.parametrize("count", [1, 3])
def test_more_models_take_no_more_queries(run, connection, count, django_assert_num_queries):
    for number in range(count):
        make_answer(run, run.dataset.samples.get(position=0), make_connection(run.project, f"m{number}"))
    source = read_source(run.dataset)
    with django_assert_num_queries(4):
        list(read_pages(source))


def manifest_of(dataset):
    source = read_source(dataset)
    export = Export(project=dataset.project, dataset=dataset, number=1, format="csv")
    return build_manifest(export, source, {})


def test_the_manifest_tells_connections_prompts_and_costs(run, connection):
    make_answer(run, run.dataset.samples.get(position=0), connection)
    make_answer(run, run.dataset.samples.get(position=2), connection, None)
    make_spent(run, connection, stored=2, lost=1)
    found = manifest_of(run.dataset)["run"]["verification"]
    assert (found["mode"], found["ask_strategy"], found["prompt_versions"]) == ("llm", "few-shot", ["zero-1"])
    (connected,) = found["connections"]
    assert (connected["name"], connected["address"]) == ("Practice", "https://llm.example.org:8443/v1")
    assert connected["prices_per_million"][0]["input_usd"] == "1.0000"
    assert found["rows"] == {"asking": 1, "verified": 2}
    assert found["costs"] == {
        "cap_nano_usd": DOLLAR,
        "spent_nano_usd": 280_000,
        "spent_usd": 0.00028,
        "calls": {"answered": 2, "lost": 1, "failed": 0},
        "tokens": {"in": 200, "cached": 0, "out": 40},
    }


@pytest.mark.parametrize(
    ("policy", "fixed"),
    [
        ({}, (0.0, 64, 5, 2_000, None)),
        ({"ask_strategy": "one-shot", "draws": 3}, (0.7, 64, 1, 2_000, None)),
        ({"ask_strategy": "chain-of-thought", "mode": "llm_then_human"}, (0.0, 512, 0, None, 0.8)),
    ],
)
def test_the_manifest_tells_what_no_form_asks_for(run, connection, policy, fixed):
    type(run).objects.filter(pk=run.pk).update(**policy)
    found = manifest_of(run.dataset)["run"]["verification"]
    names = ("temperature", "answer_tokens", "examples", "examples_among", "pool_sure_from")
    assert tuple(found[name] for name in names) == fixed


def test_no_key_and_no_secret_of_an_address_is_written(run, connection):
    assert "secret" not in json.dumps(manifest_of(run.dataset))


def test_a_run_by_people_says_so(run):
    assert manifest_of(run.dataset)["run"]["verification"] is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://k@h.example/v1#k", "https://h.example/v1"),
        ("https://h.example/", "https://h.example/"),
    ],
)
def test_an_address_is_told_without_its_secrets(url, shown):
    assert _address(url) == shown
