"""The search job against a fake hub over real HTTP, with the demo's real transformers."""

import csv
import json
import os
from datetime import timedelta
from time import time

import pytest
from django.utils import timezone

from annotator_core.demo import feedback_path, specialist_folders
from annotator_core.fakes.hub import FakeHub, HubContent, find_commit
from annotator_core.fakes.hub_search import Step
from annotator_core.fakes.openai_script import OpenAIScript, fail
from annotator_core.fakes.openai_server import FakeOpenAI
from labeling.jobs.actions import claim, set_state
from labeling.jobs.models import Chunk, ChunkState, JobState
from labeling.jobs.queries import job_of
from labeling.llm.actions.budgets import add_room
from labeling.llm.actions.calls import BookedLedger
from labeling.llm.models import Budget, LlmCall, Seat
from labeling.pipeline.work import advance_dirty, do_one
from labeling.specialists.models import CandidateState, ModelSearch, SpecialistState
from labeling.specialists.search.actions import Wanted, add_candidate, retry_search, start_search, stop_search
from labeling.specialists.search.engine import KEPT_S, folder_of, forget_old_files
from labeling.web.errors import ActionError
from tests.annotator_core.meta.made import make_folder
from tests.labeling.asked import make_connection
from tests.labeling.asking import end_pauses
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.llm.calling import assert_money_is_conserved, make_call
from tests.labeling.pool import own_targets, work_off

pytestmark = pytest.mark.django_db
BIG = 10_000_000


def lines(count):
    with feedback_path().open(encoding="utf-8", newline="") as file:
        return [row for row, _number in zip(csv.DictReader(file), range(count), strict=False)]


@pytest.fixture
def hub(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    folders = specialist_folders()
    models = {f"acme/sentiment-{name}": folders[name] for name in ("overall", "courier")}
    models["acme/sentiment-pickled"] = make_folder(tmp_path / "pickled", drop=["model.safetensors"])
    facts = {name: {"downloads": 100 - place, "tags": ["license:mit"]} for place, name in enumerate(models)}
    with FakeHub(HubContent(models, facts=facts)) as server:
        settings.HF_ENDPOINT = server.url
        yield server


@pytest.fixture
def project():
    project = make_project(make_user())
    project.description = "Sentiment of customer feedback about parcels"
    project.save()
    return project


def start(project, **wanted):
    given = {"description": project.description, "count": 2, "max_bytes": BIG} | wanted
    return start_search(project=project, wanted=Wanted(**given), by=None)


def work(search, times=12):
    """All the work there is, also what waits for a pause to end."""
    for _time in range(times):
        end_pauses()
        work_off()
    return job_of("search", search.pk)


def states(search):
    return {one.model_id.partition("/")[2]: one.state for one in search.candidates.all()}


def test_models_are_found_proved_recommended_and_added_with_their_map(hub, project):
    rows = lines(80)
    dataset = make_dataset(project, [row["text"] for row in rows])
    for sample, row in zip(dataset.samples.order_by("position"), rows, strict=True):
        dataset.samples.filter(pk=sample.pk).update(gold=row["gold"])
    search = start(project)
    assert work(search, 1).state == JobState.DONE
    search.refresh_from_db()
    assert (search.queries, search.is_by_llm, search.compared_by) == (
        ["sentiment", "feedback", "parcels"],
        False,
        "tfidf",
    )
    assert states(search) == {
        "sentiment-overall": "asked",
        "sentiment-courier": "asked",
        "sentiment-pickled": "refused",
    }
    best, second = search.candidates.exclude(rank=None).order_by("rank")
    assert best.accuracy >= second.accuracy > 0.5
    assert best.is_recommended
    overall = search.candidates.get(model_id="acme/sentiment-overall")
    assert (overall.model_labels, overall.targets) == (["bad", "ok", "good"], own_targets(project))
    assert (overall.origins, overall.gold_rows, overall.license) == (["rows"] * 3, 40, "mit")
    assert overall.revision == find_commit(specialist_folders()["overall"])
    recommended = {str(one.pk) for one in search.candidates.all() if one.is_recommended}
    assert {one.name for one in folder_of(search.pk).iterdir()} == recommended
    assert str(overall.pk) in recommended
    before = len(hub.content.requests)
    specialist = add_candidate(candidate=overall, by=None)
    work_off()
    specialist.refresh_from_db()
    assert not [one for one in hub.content.requests[before:] if one.startswith("GET") and "safetensors" in one]
    assert not (folder_of(search.pk) / str(overall.pk)).exists()
    assert (specialist.state, specialist.revision) == (SpecialistState.MAPPING, overall.revision)
    overall.refresh_from_db()
    with pytest.raises(ActionError, match="added already"):
        add_candidate(candidate=overall, by=None)


def test_files_that_nobody_adds_go_after_a_day_and_are_fetched_anew(hub, project):
    make_dataset(project, [row["text"] for row in lines(40)])
    search = start(project)
    work(search, 1)
    kept = [one for one in search.candidates.all() if one.is_recommended]
    assert {one.name for one in folder_of(search.pk).iterdir()} == {str(one.pk) for one in kept}
    forget_old_files()
    assert folder_of(search.pk).exists()
    long_ago = time() - KEPT_S - 1
    os.utime(folder_of(search.pk), (long_ago, long_ago))
    forget_old_files()
    assert not folder_of(search.pk).exists()
    specialist = add_candidate(candidate=kept[0], by=None)
    work_off()
    specialist.refresh_from_db()
    assert specialist.state == SpecialistState.MAPPING


def test_without_rows_nothing_is_tried_and_the_models_can_be_added(hub, project):
    search = start(project)
    assert work(search, 1).state == JobState.DONE
    assert states(search)["sentiment-overall"] == CandidateState.PICKED
    refused = search.candidates.get(state=CandidateState.REFUSED)
    assert refused.refusals == ["no_safetensors"]
    with pytest.raises(ActionError, match="not found safe"):
        add_candidate(candidate=refused, by=None)


def test_the_models_are_loaded_by_the_heavy_worker_only(hub, project):
    make_dataset(project, ["one", "two"])
    search = start(project)
    while do_one(["io", "verify"], "light"):
        pass
    job = job_of("search", search.pk)
    assert (job.stage, set(job.chunks.filter(stage="prove").values_list("queue", flat=True))) == (
        "prove",
        {"consensus"},
    )


def test_a_hub_that_is_down_fails_the_search_and_can_be_tried_again(hub, project):
    hub.content.steps.append(Step("/api/models", status=503, times=3))
    search = start(project)
    job = work(search)
    assert (job.state, "status 503" in job.error) == (JobState.FAILED, True)
    retry_search(search=search)
    assert work(search).state == JobState.DONE


def test_a_busy_hub_is_waited_for_without_holding_a_lease(hub, project):
    hub.content.steps.append(Step("/api/models", status=429, headers={"Retry-After": "120"}))
    search = start(project)
    work_off()
    chunk = Chunk.objects.get(job__kind="search", stage="find")
    assert (chunk.state, chunk.errors, "pause of 120 s" in chunk.error) == (ChunkState.TODO, 0, True)
    assert chunk.not_before > timezone.now() + timedelta(seconds=100)
    assert work(search).state == JobState.DONE


def test_garbage_is_no_hub(hub, project):
    hub.content.steps.append(Step("/api/models", status=200, body=b"<html>", times=3))
    job = work(start(project))
    assert (job.state, "does not answer like a model hub" in job.error) == (JobState.FAILED, True)


def test_a_model_that_goes_wrong_never_stops_the_others(hub, project):
    make_dataset(project, ["one", "two"])
    hub.content.steps.append(Step("/acme/sentiment-overall/resolve", status=500, times=99))
    search = start(project)
    while do_one(["io"], "light") or Chunk.objects.exclude(not_before=None).filter(state="todo").update(
        not_before=None
    ):
        pass
    assert job_of("search", search.pk).stage == "prove"
    assert states(search)["sentiment-overall"] == CandidateState.FAILED
    assert states(search)["sentiment-courier"] == CandidateState.FETCHED


def test_gated_and_deleted_between_search_and_fetch(hub, project):
    hub.content.gated, hub.content.lost = frozenset({"acme/sentiment-overall"}), frozenset({"acme/sentiment-courier"})
    search = start(project)
    assert work(search, 1).state == JobState.DONE
    found = dict(search.candidates.values_list("model_id", "refusals"))
    assert (found["acme/sentiment-overall"], found["acme/sentiment-courier"]) == (["gated"], ["gone"])


def test_stopped_it_does_nothing_more_and_another_may_start(hub, project):
    search = start(project)
    with pytest.raises(ActionError, match="at work already"):
        start(project)
    assert do_one(["io"], "light")
    stop_search(search=search)
    work_off()
    assert hub.content.requests == []
    with pytest.raises(ActionError, match="over already"):
        stop_search(search=search)
    assert start(project).pk != search.pk


def test_a_worker_that_is_lost_loses_one_step(hub, project):
    search = start(project)
    for _time in range(3):
        do_one(["io"], "light")
    read = Chunk.objects.filter(job__kind="search", stage="read")
    assert read.count() == 3
    read.filter(state="todo").update(state="running", owner="dead", lease_until=timezone.now() - timedelta(seconds=1))
    before = list(hub.content.requests)
    assert work(search, 1).state == JobState.DONE
    assert sum("/api/models?" in line for line in hub.content.requests) == sum("/api/models?" in one for one in before)


def test_paused_it_waits(hub, project):
    search = start(project)
    do_one(["io"], "light")
    set_state(job=job_of("search", search.pk), state=JobState.PAUSED)
    work_off()
    assert hub.content.requests == []


def test_a_project_without_classes_is_told(project):
    project.classes.update(is_retired=True)
    with pytest.raises(ActionError, match="two classes"):
        start(project)


def answers(messages):
    asked = json.loads(messages[-1]["content"])
    if "texts" in asked:
        return json.dumps({"queries": ["courier"]})
    if "labels" in asked:
        return json.dumps({"map": {"bad": "negative", "good": "positive", "ok": None}})
    return json.dumps({"score": 70})


@pytest.fixture
def server(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    with FakeOpenAI(OpenAIScript(answers)) as server:
        yield server


def test_a_language_model_writes_words_judges_cards_and_is_booked(hub, project, server):
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    search = start(project, connection=connection, cap_nano=10**9)
    assert work(search, 1).state == JobState.DONE
    search.refresh_from_db()
    assert (search.queries, search.is_by_llm, search.compared_by, search.problem) == (["courier"], True, "llm", "")
    assert set(LlmCall.objects.values_list("purpose", "state")) == {("search", "stored")}
    assert list(search.candidates.values_list("similarity", flat=True)) == [0.7]
    budget = Budget.objects.get(project=project, run=0)
    assert (budget.reserved_nano, 0 < budget.spent_nano < 10**9) == (0, True)


def test_a_language_model_reads_a_map_off_the_card_and_rows_test_it(hub, project, server):
    """Its word counts where no name and no row says more; what rows say clearly against it is corrected."""
    server.script.answerer = lambda messages: (
        answers(messages).replace('"negative"', '"positive"').replace('["courier"]', '["overall"]')
    )
    rows = lines(80)
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    given = {"connection": connection, "cap_nano": 10**9}
    before = start(project, **given)
    assert work(before, 1).state == JobState.DONE
    told = before.candidates.get(model_id="acme/sentiment-overall")
    good = project.classes.get(name="positive").pk
    assert (told.model_labels, told.origins) == (["bad", "ok", "good"], ["llm", "none", "llm"])
    assert told.targets == [good, None, good]
    dataset = make_dataset(project, [row["text"] for row in rows])
    for sample, row in zip(dataset.samples.order_by("position"), rows, strict=True):
        dataset.samples.filter(pk=sample.pk).update(gold=row["gold"])
    after = start(project, **given)
    assert work(after, 1).state == JobState.DONE
    tried = after.candidates.get(model_id="acme/sentiment-overall")
    assert (tried.targets, tried.gold_rows) == (own_targets(project), 40)
    assert tried.origins[0] == "rows"


def test_without_money_it_goes_on_without_the_language_model_and_says_so(hub, project, server):
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    search = start(project, connection=connection, cap_nano=1)
    add_room(project_id=project.pk, run=0, room_nano=10**9)  # of something else that is asked for
    assert work(search, 1).state == JobState.DONE
    search.refresh_from_db()
    assert (search.is_by_llm, search.compared_by, "budget" in search.problem) == (False, "tfidf", True)
    assert server.script.asked == []


@pytest.mark.parametrize("fault", ["no price", "refused address"])
def test_a_connection_that_must_be_mended_is_said(hub, project, settings, fault):
    settings.OUTBOUND_ALLOW = []
    connection = make_connection(project, price=None if fault == "no price" else (1, 0, 2), encrypted_key="")
    search = start(project, connection=connection, cap_nano=10**9)
    assert work(search, 1).state == JobState.DONE
    search = ModelSearch.objects.get()
    assert (search.is_by_llm, bool(search.problem)) == (False, True)


def test_a_search_that_is_stopped_leaves_no_money_set_aside(hub, project):
    """Its worker was killed while it asked, so that nobody is left to book the call."""
    connection = make_connection(project, encrypted_key="")
    search = start(project, connection=connection, cap_nano=10**9)
    advance_dirty()
    part = claim(queues=["io"], owner="killed")
    ledger = BookedLedger(project.pk, 0, part.chunk_id, part.attempts, connection, purpose="search")
    assert ledger.reserve([make_call("what to search for")]) == 1
    stop_search(search=search)
    work_off()
    assert_money_is_conserved(connection, run=0)
    assert Budget.objects.get(project=project, run=0).reserved_nano == 0


def test_it_waits_while_other_work_has_all_of_the_connections_calls(hub, project, server):
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    ends = timezone.now() + timedelta(seconds=60)
    Seat.objects.create(connection=connection, owner="a run", slots=8, until=ends)
    search = start(project, connection=connection, cap_nano=10**9)
    work_off()
    chunk = Chunk.objects.get(job__kind="search", stage="find")
    assert (chunk.state, chunk.errors, server.script.asked) == (ChunkState.TODO, 0, [])
    assert chunk.error == "Practice is busy with other work; it allows 8 calls at a time."
    Seat.objects.filter(owner="a run").update(slots=7)
    assert work(search, 1).state == JobState.DONE
    assert set(LlmCall.objects.values_list("state", flat=True)) == {"stored"}
    assert list(Seat.objects.values_list("owner", "slots")) == [("a run", 7)]


def test_its_seat_is_given_back_where_the_server_asks_for_a_pause_or_is_left_again(hub, project, server):
    """After a pause one question tries the server, and the first good answer ends that."""
    server.script.steps = [fail(429, {"Retry-After": "120"}), fail(500)]
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    search = start(project, connection=connection, cap_nano=10**9)
    for breaks, seconds in ((1, 120), (2, 60)):
        end_pauses()
        work_off()
        connection.refresh_from_db()
        waits = Chunk.objects.get(job__kind="search", stage="find").not_before - timezone.now()
        assert seconds - 20 < waits.total_seconds() <= seconds
        assert (connection.breaks, connection.is_quiet, Seat.objects.exists()) == (breaks, True, False)
    assert work(search, 1).state == JobState.DONE
    search.refresh_from_db()
    connection.refresh_from_db()
    assert (search.is_by_llm, connection.breaks, len(server.script.list_questions()) > 3) == (True, 0, True)


def test_its_seat_is_given_back_where_the_server_fails(hub, project, server):
    server.script.steps = [fail(500)] * 3
    connection = make_connection(project, base_url=server.url, model="fake-model", encrypted_key="")
    search = start(project, connection=connection, cap_nano=10**9)
    assert work(search, 1).state == JobState.DONE
    search.refresh_from_db()
    assert (search.is_by_llm, search.compared_by) == (False, "llm")
    assert not Seat.objects.exists()
