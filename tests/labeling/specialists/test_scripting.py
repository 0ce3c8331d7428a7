"""The pages about scripts, and what may be done with one."""

import re

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from labeling.jobs.models import Job
from labeling.llm.models import Budget
from labeling.projects.models import Role
from labeling.specialists.models import GeneratedScript, ScriptKind, ScriptState, Specialist, SpecialistVersion
from labeling.specialists.scripting.actions import accept_script, ask_voter, retry_script
from labeling.specialists.scripting.highlight import Piece, lines_of
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_project, make_user
from tests.labeling.llm.calling import make_connection
from tests.labeling.pool import add_fake, own_targets
from tests.labeling.specialists.scripts import COMPARISON, make_script, stats_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(client):
    user = make_user(is_superuser=True)
    client.force_login(user)
    return make_project(user)


@pytest.fixture
def version(project, tmp_path):
    """One that says of itself that it is a transformer: the pages never load it."""
    specialist = add_fake(project, tmp_path / "tiny")
    ids = own_targets(project)
    return SpecialistVersion.objects.create(
        specialist=specialist, number=1, backend="torch", weights_hash="0" * 64, model_labels=["a", "b", "c"],
        targets=ids, class_ids=ids, max_length=64,
    )  # fmt: skip


def url(project, name="list", **words):
    return reverse(f"scripts:{name}", kwargs={"slug": project.slug} | words)


def test_without_a_transformer_there_is_nothing_to_ask_for(client, project):
    page = client.get(url(project)).content.decode()
    assert "No scripts yet" in page
    assert "Scripts are about transformers" in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_however_long(client, project, version, count, django_assert_num_queries):
    for _number in range(count):
        make_script(version)
    client.get(url(project))
    with django_assert_num_queries(9):
        assert client.get(url(project)).content.decode().count("99 / 100") == count


def test_a_script_that_is_asked_for_by_htmx_comes_back_as_the_form(client, project, version):
    answer = client.post(url(project), {"version": "0"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer.content.decode().lstrip().startswith('<div id="form">')


def test_a_script_is_asked_for_and_waits_for_its_job(client, project, version):
    answer = client.post(url(project), {"version": version.pk, "kind": "annotate"})
    script = GeneratedScript.objects.get()
    assert answer.headers["Location"] == url(project, "detail", number=1)
    assert (script.state, script.source, script.created_by) == ("writing", "template", project.created_by)
    assert Job.objects.filter(kind="script", subject=script.pk).exists()
    assert "Being written" in client.get(answer.headers["Location"]).content.decode()


def test_a_language_model_needs_a_cap_and_gets_that_much_room(client, project, version):
    connection = make_connection(project)
    given = {"version": version.pk, "kind": "deploy", "connection": connection.pk}
    refused = client.post(url(project), given | {"cap": ""})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["cap"])
    client.post(url(project), given | {"cap": "0.25"})
    script = GeneratedScript.objects.get()
    assert (script.source, script.cap_nano, Budget.objects.get(run=0).cap_nano) == ("llm", 250_000_000, 250_000_000)


@pytest.mark.parametrize("given", [{"version": "0", "kind": "annotate"}, {"version": "x", "kind": "hack"}])
def test_what_is_not_offered_is_not_asked_for(client, project, version, given):
    assert client.post(url(project), given).status_code == 422
    assert not GeneratedScript.objects.exists()


def test_the_page_shows_code_check_and_differences_as_text(client, project, version):
    script = make_script(
        version,
        code="x = '<script>alert(1)</script>'  # <b>\n",
        checks=[{"line": 3, "message": "<i>no</i>"}],
        error="<u>",
    )
    page = client.get(url(project, "detail", number=script.number)).content.decode()
    for hostile in ("<script>alert", "<b>late", "<i>no", "<u>"):
        assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Line 3:" in page
    assert "negative" in page  # the class's name of today
    assert "Accept" in page


def test_a_manager_accepts_what_agrees_and_nothing_else(client, project, version):
    good, bad = make_script(version), make_script(version, comparison={"passes": False, "rows": 1})
    for script in (good, bad):
        client.post(url(project, "act", number=script.number, verb="accept"))
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, good.accepted_by, bad.state) == ("accepted", project.created_by, "tried")
    for state in (ScriptState.WRITING, ScriptState.REFUSED, ScriptState.FAILED, ScriptState.ACCEPTED):
        with pytest.raises(ActionError):
            accept_script(script=make_script(version, state=state), by=None)


def test_an_accepted_script_becomes_one_specialist(client, project, version):
    script = make_script(version, state=ScriptState.ACCEPTED)
    answer = client.post(url(project, "act", number=script.number, verb="vote"))
    voter = Specialist.objects.get(backend="script")
    assert answer.headers["Location"] == reverse("specialists:detail", args=[project.slug, voter.pk])
    assert (voter.name, voter.state) == ("tiny by script 1", "fetching")
    script.refresh_from_db()
    with pytest.raises(ActionError, match="votes already"):
        ask_voter(script=script)
    GeneratedScript.objects.filter(pk=script.pk).update(voter=None)
    with pytest.raises(ActionError, match="named"):
        ask_voter(script=script)


@pytest.mark.parametrize("kind", ScriptKind)
def test_only_an_accepted_script_votes(version, kind):
    with pytest.raises(ActionError, match="Only an accepted script"):
        ask_voter(script=make_script(version, state=ScriptState.TRIED, kind=kind))


def test_what_a_script_trained_votes_while_its_weights_are_there(client, project, version, settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path)
    comparison = COMPARISON | {"weights_hash": "1" * 64}
    script = make_script(version, state=ScriptState.ACCEPTED, kind=ScriptKind.FINE_TUNE, comparison=comparison)
    vote = url(project, "act", number=script.number, verb="vote")
    assert "removed to free the disk" in client.post(vote, follow=True).content.decode()
    (tmp_path / ("1" * 64)).mkdir()
    client.post(vote)
    script.refresh_from_db()
    assert (script.voter.backend, script.voter.state, script.voter.source) == ("torch", "fetching", "script")


@pytest.mark.parametrize("kind", ScriptKind)
def test_an_accepted_script_is_downloaded_as_a_file(client, project, version, kind):
    script = make_script(version, state=ScriptState.ACCEPTED, kind=kind, code="# ü <script>\n")
    file = url(project, "download", number=script.number)
    answer = client.get(file)
    assert (answer.status_code, answer.content.decode()) == (200, "# ü <script>\n")
    assert answer.headers["Content-Type"] == "text/x-python; charset=utf-8"
    name = f"{project.slug}-script-1-{kind}.py"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert file in client.get(url(project, "detail", number=script.number)).content.decode()


@pytest.mark.parametrize("state", [one for one in ScriptState if one != ScriptState.ACCEPTED])
def test_no_other_script_is_downloaded(client, project, version, state):
    script = make_script(version, state=state)
    file = url(project, "download", number=script.number)
    assert client.get(file).status_code == 409
    assert file not in client.get(url(project, "detail", number=script.number)).content.decode()


def test_a_script_that_learns_is_shown_with_who_was_right(client, project, version):
    lesson = {"learned": 21, "before": 5, "engine": 13, "script": 12}
    row = {"text": "late", "engine": "a", "script": "c", "engine_prob": 0.75, "script_prob": 0.5}
    comparison = COMPARISON | {"rows": 22, "agreed": 20, "lesson": lesson, "differences": [row]}
    script = make_script(version, kind=ScriptKind.FINE_TUNE, comparison=comparison)
    page = client.get(url(project, "detail", number=script.number))
    assert stats_of(page) == [
        ("Learned from", "21"), ("Judged by", "22"), ("Right before", "5"), ("Right by the engine", "13"),
        ("Right by the script", "12"), ("Agreed", "20"), ("Largest difference", "50.00%"), ("Time", "3.2 s"),
    ]  # fmt: skip
    cells = [" ".join(strip_tags(cell).split()) for cell in re.findall("<td.*?</td>", page.content.decode())]
    assert cells == ["late", "a 0.75", "c 0.50"]


def test_what_did_not_fail_is_not_tried_again(client, project, version):
    script = make_script(version)
    with pytest.raises(ActionError, match="nothing to try again"):
        retry_script(script=script)
    answer = client.post(url(project, "act", number=script.number, verb="retry"), follow=True)
    assert "nothing to try again" in answer.content.decode()


def test_s19_another_projects_script_is_not_found(client, project, version):
    other = make_project(make_user())
    add_member(other, project.created_by, Role.MANAGER)
    make_script(version)
    assert client.get(url(other, "detail", number=1)).status_code == 404
    assert client.post(url(other, "act", number=1, verb="accept")).status_code == 404


def test_code_is_cut_into_pieces_that_make_it_up_again():
    code = 'def f(x):\n    """One\n    two."""\n    return x + 1  # so\n\n'
    lines = lines_of(code)
    assert ["".join(piece.text for piece in line) for line in lines] == code.splitlines()
    assert lines[0][0] == Piece("def", "word")
    assert [line[-1].kind for line in lines[1:3]] == ["text", "text"]
    assert lines[3][-1] == Piece("# so", "note")
    assert lines_of("(\n'") == [[Piece("(")], [Piece("'")]]
    assert lines_of("") == []
