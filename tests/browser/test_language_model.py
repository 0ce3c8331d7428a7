"""A language model reviews hard rows, as a manager sees it: connect, plan, cap, watch, look at one answer."""

import pytest

from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript, Step
from annotator_core.fakes.openai_server import FakeOpenAI
from labeling.labels.models import Label, VerifierAnswer
from labeling.llm.models import Budget, CallState, Connection, LlmCall
from labeling.runs.models import Run
from tests.browser.person import DESK, PHONE
from tests.labeling.factories import CLASSES, make_dataset, make_project
from tests.labeling.pool import make_pool

TEXTS = [f"The parcel of order {n} came " + ("late again" if n % 3 else "before noon") for n in range(60)]
LOOKS = ((DESK, "light"), (DESK, "dark"), (PHONE, "light"))
EXPECTED = ("422", "htmx:sendAbort", "htmx:afterRequest")
"""What the console says of a refused plan, and of a live page that is left while it asks."""
TINY = "0.0001"
"""Dollars: less than the most that one call may cost."""


@pytest.fixture
def project(still_site, staff, tmp_path):
    """Data and three specialists that often disagree, made before the workers wake."""
    found = make_project(staff, name="Shop")
    make_dataset(found, TEXTS)
    make_pool(found, tmp_path, noise=0.4)
    return found


@pytest.fixture
def model(settings):
    """A model that answers within a moment, and may be called."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    script = OpenAIScript(make_answerer(CLASSES, 0.9), rest=Step(delay_s=0.05))
    with FakeOpenAI(script) as server:
        yield server


def _connect(person, project, model):
    """Fill in the page of connections and test it."""
    person.open(f"/p/{project.slug}/runs/new")
    person.click("[name=mode][value=llm]")
    person.press("Connect a model")
    for name, text in {
        "name": "Practice model",
        "base_url": model.url,
        "model": model.script.model,
        "key": "sk-never-shown",
        "input_usd": "1",
        "output_usd": "4",
    }.items():
        person.fill(f"[name={name}]", text)
    person.press("Save connection")
    person.press("Test connection")
    person.until(lambda: Connection.objects.get().capability)


def _plan(person, project):
    """A plan without a cap is refused at its field; with one the run starts."""
    person.open(f"/p/{project.slug}/runs/new")
    assert not person.all("#id_cap")[0].is_displayed()
    person.click("[name=mode][value=llm_then_human]")
    person.press("Start run")
    person.read("Say what it may cost at most", "#id_cap-error")
    _flawless(person)
    person.fill("#id_cap", TINY)
    person.fill("[name=sure_from]", "0")  # this model does not say how sure it is
    person.press("Start run")
    person.until(lambda: person.path.endswith("/runs/1"))


def _raise_cap(person):
    """The run says why it stands still; the cap is raised and it goes on."""
    person.read("The verification has stopped")
    assert Budget.objects.get(run__gt=0).spent_nano == 0
    _flawless(person)
    person.press("Raise the cap")
    person.read("What it may cost")
    _flawless(person)
    person.fill("#id_cap", "2.50")
    person.press("Save the cap")
    person.until(lambda: person.path.endswith("/runs/1"))


def _flawless(person):
    """In every look axe finds nothing, and nothing is wider than the window."""
    for size, scheme in LOOKS:
        person.look(size, scheme)
        assert (person.flaws(), person.overflow()) == ([], 0), f"{person.path} {scheme}"
    person.look()


def _watch(person):
    """To the end, on a page that is never loaded again."""
    person.chrome.execute_script("window.isSamePage = true")
    person.read("The language model settled", patience_s=60)
    assert person.chrome.execute_script("return window.isSamePage")
    person.read("saved against asking about every row")
    _flawless(person)


def _check_rows(run):
    """Each hard row was asked about once, and has its label or waits for a person; spent is what the calls cost."""
    run.refresh_from_db()
    assert (run.asking, run.hard, run.verified > 0) == (0, run.verified + run.to_review + run.decided, True)
    assert Label.objects.filter(run=run, source="fused", is_current=True).count() == run.verified
    calls = LlmCall.objects.filter(run=run.pk)
    assert {call.state for call in calls} == {CallState.STORED}
    budget = Budget.objects.get(run=run.pk)
    assert (budget.reserved_nano, budget.spent_nano) == (0, sum(call.cost_nano for call in calls))
    assert calls.count() == VerifierAnswer.objects.count()


def _look_at_one(person, project, run):
    """Prompt, answer and price of one text; the key is nowhere."""
    answer = VerifierAnswer.objects.filter(run=run, label_class__isnull=False).first()
    person.open(f"/p/{project.slug}/samples/{answer.sample_id}")
    person.click("#models summary")
    person.read("You are an autoclassifier", "#models")
    person.read("HTTP" if answer.call.state != "stored" else "tokens", "#models")
    assert "sk-never-shown" not in person.chrome.page_source
    _flawless(person)


def _forecast(person, project):
    person.open(f"/p/{project.slug}/runs/forecast")
    person.read("Recommended")
    person.read("Expected accuracy against the share of rows reviewed")
    person.fill("[name=hour]", "30")
    person.press("Forecast")
    person.until(lambda: "hour=30" in person.path)
    person.read("An hour of work")
    _flawless(person)


def _pilot(person, project):
    """The price follows what is said; what was found stands there without a page being loaded again."""
    person.open(f"/p/{project.slug}/runs/forecast")
    person.press("Ask about some rows")
    person.read("No pilot yet")
    person.read("50 calls, about", "#pilot-price")
    _flawless(person)
    person.fill("[name=rows]", "5")
    person.press("How it is asked")
    person.read("5 calls, about", "#pilot-price")
    person.press("Ask")
    person.read("What it found", patience_s=60)
    person.read("Rows that go to people, by how sure an answer must be")
    _flawless(person)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_language_model_reviews_before_people_do(still_site, reader, project, model):
    _connect(reader, project, model)
    still_site.open_rooms()
    _plan(reader, project)
    _raise_cap(reader)
    _watch(reader)
    run = Run.objects.get()
    _check_rows(run)
    _look_at_one(reader, project, run)
    _forecast(reader, project)
    _pilot(reader, project)
    assert [error for error in reader.errors() if not any(word in error for word in EXPECTED)] == []
