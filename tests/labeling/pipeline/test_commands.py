import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.jobs.actions import open_job
from labeling.labels.models import Label, Lease, ReviewItem, Vote
from labeling.overview.checks import Check
from labeling.pipeline.prepare import first_signin_path
from labeling.pipeline.work import do_one
from labeling.projects.models import Project
from labeling.review.actions import claim
from labeling.runs.models import Run, RunState
from labeling.specialists.models import SpecialistVersion
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user


def run(capsys, *words):
    call_command(*words)
    return capsys.readouterr().out


@pytest.mark.django_db
def test_a_link_for_one_who_lost_theirs(capsys):
    user = make_user("mara", password="a long enough secret")
    out = run(capsys, "signin-link", "mara", "--address", "https://label.example.org/")
    (path,) = re.findall(r"https://label\.example\.org(/sign-in/\S+)", out)
    client = Client()
    assert client.post(path).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_nobody_waits_for_an_account_that_is_switched_off(capsys, django_capture_on_commit_callbacks):
    project, mara = make_project(make_user()), make_user("mara")
    add_member(project, mara)
    Project.objects.filter(pk=project.pk).update(overlap=2)
    make_run(make_dataset(project, ["one", "two"]))
    held = claim(project=project, user_id=mara.pk)[0].item
    ReviewItem.objects.exclude(pk=held.pk).update(assignee=mara)

    def switch(to):
        with django_capture_on_commit_callbacks(execute=True):
            return run(capsys, "switch-account", "mara", to)

    assert switch("off") == "mara is switched off; projects that follow: 1\n"
    assert list(ReviewItem.objects.values_list("needed", "assignee")) == [(1, None)] * 2
    assert (Lease.objects.count(), User.objects.get(username="mara").is_active) == (0, False)
    switch("on")
    assert list(ReviewItem.objects.values_list("needed", flat=True)) == [2, 2]
    with pytest.raises(CommandError, match="There is no user “jonas”"):
        call_command("switch-account", "jonas", "off")


@pytest.mark.django_db
def test_a_link_for_nobody_or_a_closed_account_is_refused():
    make_user("gone", is_active=False)
    with pytest.raises(CommandError, match="There is no user “mara”"):
        call_command("signin-link", "mara")
    with pytest.raises(CommandError, match="switched off"):
        call_command("signin-link", "gone")


@pytest.mark.django_db
@pytest.mark.parametrize("is_operator", [True, False])
def test_an_account_is_made_only_when_asked(capsys, is_operator):
    run(capsys, "signin-link", "mara", "--create", *(["--operator"] if is_operator else []))
    assert User.objects.get(username="mara").is_staff is is_operator
    with pytest.raises(CommandError, match="taken"):
        call_command("signin-link", "mara", "--create")


@pytest.mark.django_db
def test_s18_the_first_link_is_offered_until_somebody_has_signed_in():
    path = first_signin_path()
    assert User.objects.get().username == "admin"
    Client().post(path)
    assert first_signin_path() is None


@pytest.mark.django_db
def test_c23_c24_the_doctor_names_the_missing_worker_and_the_command(capsys, settings):
    project = make_project(make_user())
    open_job(project_id=project.pk, kind="dummy", subject=1, total=1)
    with pytest.raises(CommandError, match="broken"):
        call_command("doctor")
    out = capsys.readouterr().out
    command = "python manage.py up" if settings.IS_EMBEDDED_BROKER else "celery -A labeling.conf worker -Q io"
    assert re.search(rf"BAD  Workers for “io” .*\n +{re.escape(command)}\n", out)


@pytest.mark.django_db
def test_the_doctor_is_content_when_nothing_is_broken(capsys, monkeypatch):
    fine = [Check("Database", "good", "SQLite answers."), Check("Workers", "attention", "None.", "manage.py up")]
    monkeypatch.setattr("labeling.pipeline.management.commands.doctor.doctor_checks", lambda: fine)
    assert run(capsys, "doctor").splitlines() == [
        "  ok  Database  SQLite answers.",
        "look  Workers   None.",
        "      manage.py up",
        "Nothing is broken.",
    ]


@pytest.mark.slow
def test_the_demo_is_built_by_the_site_and_built_once(transactional_db, capsys):
    out = run(capsys, "demo")
    assert "Start the site with: python manage.py up" in out
    assert Project.objects.get().slug == "demo"
    assert SpecialistVersion.objects.exclude(confirmed_at=None).count() == 3
    assert [(each.state, each.row_count, each.voted) for each in Run.objects.all()] == [(RunState.RUNNING, 1600, 0)]
    assert [(each.policy, each.beta, each.learning_rate, each.is_gated) for each in Run.objects.all()] == [
        ("default", 20, 5e-4, True)
    ]
    assert list(Dataset.objects.values_list("name", "row_count")) == [("Feedback", 1600), ("Checked feedback", 1500)]
    assert Label.objects.filter(source="imported").count() == 1500
    run(capsys, "demo")
    assert Dataset.objects.count() == 2
    assert (Project.objects.count(), Run.objects.count(), SpecialistVersion.objects.count()) == (1, 1, 3)
    path = first_signin_path()
    assert path.endswith("?next=%2Fp%2Fdemo%2Fruns%2F1")
    while do_one(("io", "consensus"), "test"):
        pass
    assert Run.objects.get().state == RunState.REVIEWING
    assert Vote.objects.count() == 3 * 1600


@pytest.mark.slow
def test_an_older_demo_gets_its_checked_feedback(transactional_db, capsys):
    run(capsys, "demo")
    project = Project.objects.get()
    project.datasets.get(name="Checked feedback").delete()
    project.uploads.filter(filename="verified.csv").delete()
    run(capsys, "demo")
    assert list(Dataset.objects.values_list("name", flat=True)) == ["Checked feedback", "Feedback"]
    assert (Run.objects.count(), SpecialistVersion.objects.count()) == (1, 3)
