import re

import pytest
from django.urls import reverse

from labeling.datasets.models import Upload
from labeling.projects.models import Role
from labeling.refinement.models import ChallengerState, RefinementRound, RoundState, SourceTest, Trigger
from labeling.refinement.plots import hard_shares
from labeling.runs.models import PoolGeneration, Run, VoteAhead
from labeling.specialists.models import SpecialistVersion, Trial
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.refinement.learning import finish_round, learnable_run
from tests.labeling.refinement.made_rounds import (
    make_challenger,
    make_done_round,
    make_pooled_run,
    make_round,
    make_training_round,
    make_versions,
    make_waiting_round,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def manager(client):
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def project(manager):
    return make_project(manager)


@pytest.fixture
def versions(project):
    return make_versions(project)


@pytest.fixture
def run(project, versions):
    return make_pooled_run(project, versions)


def url(project, name="list", **kwargs):
    return reverse(f"refinement:{name}", kwargs={"slug": project.slug} | kwargs)


def page(client, project, name="list", **kwargs):
    answer = client.get(url(project, name, **kwargs))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def columns(html, caption):
    """The cells of the table's first row."""
    table = html.split(f">{caption}</caption>")[1].split("</table>")[0]
    row = table.split("<tbody>")[1].split("</tr>")[0]
    return [texts(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]


def test_an_empty_page_says_what_a_round_is_and_what_is_missing(client, project):
    html = page(client, project)
    assert "No rounds yet" in html
    assert "A round needs a run in which people decide hard rows." in html
    assert reverse("runs:new", kwargs={"slug": project.slug}) in html


def test_a_pool_on_its_way_says_what_happens_by_itself_and_now(client, project, run):
    Run.objects.filter(pk=run.pk).update(decided=312)
    html = page(client, project)
    assert "312 of 1,000" in html
    assert "At 1,000 decided hard rows a round starts by itself" in html
    assert "3 specialists learn from up to 312 decided rows and 78 earlier ones: 3 epochs, the first round" in html


def test_the_plan_knows_how_long_a_round_took(client, project, run, versions):
    make_done_round(run, versions)
    Run.objects.filter(pk=run.pk).update(decided=1000)
    assert "3 epochs, about 2 min." in page(client, project)  # 90 s on 1,000 rows, now on 1,250


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"beta": None}, "This run never learns by itself"),
        ({"is_gated": False}, "They take over without a test"),
        ({}, "Nothing to learn from yet"),
    ],
)
def test_a_pool_says_how_its_policy_learns(client, project, versions, policy, sentence):
    make_pooled_run(project, versions, **policy)
    assert sentence in page(client, project)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_however_long(client, project, run, versions, count, django_assert_num_queries):
    pool = versions
    for _number in range(count):
        _round, pool = make_done_round(run, pool)
    client.get(url(project))
    with django_assert_num_queries(15):
        client.get(url(project), headers=HTMX)


@pytest.mark.parametrize("count", [1, 3])
def test_a_round_takes_the_same_queries_however_many_learn(client, project, count, django_assert_num_queries):
    versions = make_versions(project, count)
    make_done_round(make_pooled_run(project, versions), versions)
    client.get(url(project, "detail", number=1))
    with django_assert_num_queries(13):
        client.get(url(project, "detail", number=1))


def test_the_history_tells_what_each_round_changed(client, project, run, versions):
    make_done_round(run, versions)
    row = columns(page(client, project), "Rounds")
    assert row[:8] == [
        "Round 1",
        "Done",
        "The hard pool was full",
        "800",
        "0",
        "200",
        "1 promoted, 2 kept",
        "3 rows (15 s)",
    ]


def test_where_votes_stop_at_a_full_pool_nothing_leaves_the_queue(client, project, versions):
    run = make_pooled_run(project, versions, vote_ahead=VoteAhead.POOL)
    make_done_round(run, versions)
    assert columns(page(client, project), "Rounds")[7] == "–"


def test_where_votes_stop_each_stretch_counts_the_rows_up_to_its_end(run):
    run.vote_ahead, run.beta = VoteAhead.POOL, 10
    ends = [PoolGeneration(number=0, until=40), PoolGeneration(number=1, until=140, round_number=1)]
    assert [one.share for one in hard_shares(run, ends)] == [0.25, 0.1]


def test_the_plots_stand_there_as_tables(client, project, run, versions):
    _round, pool = make_done_round(run, versions)
    make_done_round(run, pool)
    html = page(client, project)
    assert columns(html, "Accuracy on held-out rows") == ["1", "80.0%", "81.0%"]
    assert columns(html, "Hard share") == ["Start", "80.0%"]
    assert columns(html, "model-0") == ["Before", "80.0%", "–"]


def test_a_round_at_work_is_live(client, project, run, versions):
    round_ = make_training_round(run, versions)
    for html in (page(client, project), page(client, project, "detail", number=1)):
        assert f'data-live-topic="round:{round_.pk}"' in html
        assert columns(html, "Specialists in training") == ["model-0", "Trained", "60 of 60", "0.017", "30 s"]
        assert "20 of 60" in texts(html)
        assert "20 s left" in html
        assert "Train now" not in html


def test_a_round_that_is_over_is_still(client, project, run, versions):
    make_done_round(run, versions)
    assert "data-live-topic" not in page(client, project, "detail", number=1)


def test_a_round_tells_why_each_version_was_promoted_or_kept(client, project, run, versions):
    make_done_round(run, versions)
    html = page(client, project, "detail", number=1)
    said = texts(html)
    assert "It is better than its champion with a probability of 86%, and no class falls." in said
    assert "It is better on the whole, but worse on: neutral." in said
    assert "+3.0 points (95%: −1.2 to +8.4)" in said
    assert columns(html, "Held-out rows that are right, by class") == ["negative", "80.0%", "88.0%", "+8.0", "50"]
    assert "−15.0, fell" in html
    assert "1 new version votes now." in said


@pytest.mark.parametrize(
    ("state", "verdict", "sentence"),
    [
        (ChallengerState.KEPT, "not_better", "with a probability of 86%; a promotion needs 80%."),
        (ChallengerState.PROMOTED, "not_better", "A manager decided so. It is better"),
        (ChallengerState.PROMOTED, "ungated", "The policy asks for no test."),
        (ChallengerState.ROLLED_BACK, "better", "Rolled back: the version before it votes again."),
        (ChallengerState.JUDGED, "too_few", "140 held-out rows could judge it; 100 are needed."),
    ],
)
def test_verdicts_are_sentences(client, project, run, versions, state, verdict, sentence):
    make_challenger(make_round(run), versions[0], state, verdict=verdict)
    assert sentence in page(client, project, "detail", number=1)


def test_a_round_without_figures_is_shown(client, project, run, versions):
    given = {"figures": {}, "accuracy_before": None, "accuracy_after": None, "p_better": None, "losses": []}
    make_challenger(make_round(run, is_gated=False), versions[0], ChallengerState.PROMOTED, verdict="ungated", **given)
    html = page(client, project, "detail", number=1)
    assert "<figure" not in html
    assert "Gate: decide" not in html


def test_a_manager_starts_a_round_and_sees_it_through(client, project, tmp_path):
    run = learnable_run(project, tmp_path)
    answer = client.post(url(project, "start", number=run.number))
    round_ = RefinementRound.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, url(project, "detail", number=1))
    assert (round_.trigger, round_.created_by is not None) == (Trigger.MANAGER, True)
    assert "Round 1 is at work." in page(client, project)
    finish_round(round_)
    assert "Waiting for a manager" in page(client, project, "detail", number=1)
    first, second = round_.challengers.order_by("position")
    client.post(url(project, "decide", challenger_id=first.pk, verb="promote"))
    client.post(url(project, "decide", challenger_id=second.pk, verb="keep"))
    assert list(round_.challengers.values_list("state", flat=True)) == ["promoted", "kept"]
    assert "1 new version votes now." in page(client, project, "detail", number=1)
    client.post(url(project, "act", number=1, verb="roll-back"))
    assert "the versions from before the round vote again" in page(client, project, "detail", number=1)


def test_a_failed_round_is_tried_again_or_given_up(client, project, run, versions):
    round_ = make_round(run, RoundState.FAILED, error="The disk is full.")
    make_challenger(round_, versions[0], ChallengerState.FAILED, error="The disk is full.")
    assert "The disk is full." in page(client, project)
    client.post(url(project, "act", number=1, verb="retry"))
    round_.refresh_from_db()
    assert (round_.state, round_.error) == (RoundState.TRAINING, "")
    client.post(url(project, "act", number=1, verb="give-up"))
    round_.refresh_from_db()
    assert round_.state == RoundState.CANCELLED
    assert "its rows went back to the hard pool" in page(client, project, "detail", number=1)


def test_a_refused_action_says_why(client, project, run, versions):
    make_done_round(run, versions)
    answer = client.post(
        url(project, "start", number=run.number), headers={"Referer": f"http://testserver{url(project)}"}
    )
    assert answer.headers["Location"] == f"http://testserver{url(project)}"
    assert "Nothing was decided since the last round" in page(client, project)


def test_a_source_test_is_chosen_among_data_sets_with_gold(client, project, run, versions):
    make_done_round(run, versions)
    gold, plain = make_dataset(project, ["a"]), make_dataset(project, ["b"])
    gold.samples.update(gold="negative")
    Upload.objects.filter(dataset=gold).update(gold_count=1)
    specialist = versions[0].specialist
    address, name = url(project, "source-test", specialist_id=specialist.pk), f"source-{specialist.pk}-dataset"
    wrong = client.post(address, {name: plain.pk}, headers=HTMX)
    assert (wrong.status_code, f"id_{name}-error" in wrong.content.decode()) == (422, True)
    assert "<html" not in wrong.content.decode()
    assert client.post(address, {name: gold.pk}).status_code == 303
    assert SourceTest.objects.get().dataset == gold
    client.post(address, {name: ""})
    assert not SourceTest.objects.exists()


def test_the_disk_is_freed(client, project, run, versions):
    pool = versions[:1]
    for _number in range(3):
        _round, pool = make_done_round(run, pool)
    answer = client.post(url(project, "free-disk"))
    assert (answer.status_code, answer.headers["Location"]) == (303, url(project))
    assert [version.number for version in SpecialistVersion.objects.filter(pruned_at__isnull=False)] == [2]
    assert "1 version lost its weights" in page(client, project)


def test_a_specialist_s_page_lists_all_its_versions(client, project, run, versions):
    make_done_round(run, versions)
    specialist = versions[0].specialist
    html = client.get(reverse("specialists:detail", kwargs={"slug": project.slug, "specialist_id": specialist.pk}))
    row = columns(re.sub(r"\s+", " ", html.content.decode()), "Versions")
    assert row[:7] == ["v2", "Round 1", "v1", "Promoted", "80.0% → 83.0%", "Run 1", "976.6 KB"]


def test_the_models_page_does_not_ask_about_versions_that_wait_at_a_round(client, project, run, versions):
    make_waiting_round(run, versions)
    specialist = versions[0].specialist
    html = client.get(reverse("specialists:list", kwargs={"slug": project.slug})).content.decode()
    assert (html.count("May vote"), html.count("Waiting for you"), ">v2<" in html) == (3, 0, False)
    words = {"slug": project.slug, "specialist_id": specialist.pk, "verb": "try"}
    client.post(reverse("specialists:act", kwargs=words))
    assert Trial.objects.get().version == versions[0]


def test_annotators_and_strangers_are_kept_out(client, project, run, versions):
    round_ = make_waiting_round(run, versions)
    annotator, stranger = make_user(), make_user()
    add_member(project, annotator, Role.ANNOTATOR)
    challenger = round_.challengers.first()
    for user, status in ((annotator, 403), (stranger, 404)):
        client.force_login(user)
        assert client.get(url(project)).status_code == status
        assert client.get(url(project, "detail", number=1)).status_code == status
        assert client.post(url(project, "start", number=run.number)).status_code == status
        assert client.post(url(project, "act", number=1, verb="give-up")).status_code == status
        assert client.post(url(project, "decide", challenger_id=challenger.pk, verb="promote")).status_code == status
        assert client.post(url(project, "free-disk")).status_code == status
    round_.refresh_from_db()
    assert round_.state == RoundState.WAITING


def test_s19_another_project_s_rounds_are_not_found(client, project, manager):
    other = make_project(make_user())
    versions = make_versions(other)
    round_ = make_waiting_round(make_pooled_run(other, versions), versions)
    challenger = round_.challengers.first()
    assert client.get(url(project, "detail", number=1)).status_code == 404
    assert client.post(url(project, "act", number=1, verb="give-up")).status_code == 404
    assert client.post(url(project, "decide", challenger_id=challenger.pk, verb="promote")).status_code == 404
    assert client.post(url(project, "source-test", specialist_id=challenger.specialist_id)).status_code == 404
    assert client.post(url(project, "start", number=1)).status_code == 404
