import json
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import reverse

from labeling.exports.actions import create_export
from labeling.exports.models import Export
from labeling.projects.models import Role
from tests.labeling.datasets.imports import import_file, work_off
from tests.labeling.exports.exporting import export_file
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def project(transactional_db):
    return make_project(make_user())


@pytest.fixture
def manager(client, project):
    client.force_login(project.created_by)
    return client


def url(project, name, **kwargs):
    return reverse(f"exports:{name}", kwargs={"slug": project.slug} | kwargs)


def test_c37_page_shows_counts_before_anything_is_made(manager, project):
    dataset = make_dataset(project, ["a", "b", "c"])
    make_run(dataset, hard={2})
    page = " ".join(manager.get(url(project, "list")).text.split())
    assert "<dt>The specialists agree</dt><dd>2</dd>" in page
    assert "<dt>No label yet</dt><dd>1</dd>" in page
    assert "<dt>All rows</dt><dd>3</dd>" in page


def test_make_watch_download(manager, project):
    upload = import_file(project, "id,text\n1,some text\n2,more text\n")
    response = manager.post(
        url(project, "list"), {"dataset": upload.dataset.number, "format": "csv", "only_labeled": "", "is_raw": ""}
    )
    assert (response.status_code, response.url) == (303, url(project, "detail", number=1))
    export = Export.objects.get()
    part = manager.get(response.url, **HTMX).text
    assert f'data-live-topic="export:{export.pk}"' in part
    work_off()
    page = manager.get(response.url).text
    assert "data-live-topic" not in page
    answer = manager.get(url(project, "download", number=1))
    assert answer.getvalue().decode().startswith("id,text,label,label_source")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{project.slug}-export-1.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    manifest = manager.get(url(project, "manifest", number=1))
    assert json.loads(manifest.content)["output"]["rows"] == 2


async def _load(user, address):
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(address)
    return answer.is_async, [block async for block in answer]


def test_c33_download_under_asgi_is_streamed(project):
    _export, data = export_file(make_dataset(project, ["x" * 1_000] * 600))
    is_async, blocks = async_to_sync(_load)(project.created_by, url(project, "download", number=1))
    assert is_async
    assert len(blocks) > 1
    assert b"".join(blocks) == data


def test_c35_error_and_retry_are_on_the_page(manager, project, settings):
    export = create_export(dataset=make_dataset(project, ["a"]), by=None)
    part = Path(settings.EXPORT_FOLDER) / f"export-{export.pk}.1.part"
    part.symlink_to("/dev/full")
    work_off()
    page = manager.get(url(project, "detail", number=1)).text
    assert "disk of the server is full" in page
    assert "Try again" in page
    assert manager.get(url(project, "download", number=1)).status_code == 409
    assert manager.post(url(project, "retry", number=1)).status_code == 303
    work_off()
    assert b"".join(manager.get(url(project, "download", number=1)))
    assert manager.post(url(project, "retry", number=1)).status_code == 409


def test_unknown_data_set_is_422(manager, project):
    make_dataset(project, ["a"])
    response = manager.post(url(project, "list"), {"dataset": "99", "format": "csv"})
    assert response.status_code == 422
    assert "Select a valid choice" in response.text


def test_other_data_set_changes_the_counts(manager, project):
    make_dataset(project, ["a"])
    make_dataset(project, ["a", "b", "c", "d"])
    part = " ".join(manager.get(url(project, "list"), {"dataset": "2"}, **HTMX).text.split())
    assert part.startswith('<div id="make"')
    assert "<dt>All rows</dt><dd>4</dd>" in part


def test_empty_page_says_what_to_do(manager, project):
    assert "Nothing to export yet" in manager.get(url(project, "list")).text


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_any_number(manager, project, count, django_assert_num_queries):
    dataset = make_dataset(project, ["a"])
    for _ in range(count):
        export_file(dataset)
    manager.get(url(project, "list"))
    with django_assert_num_queries(10):
        assert manager.get(url(project, "list")).text.count("Download") == count


PAGES = [("list", {}), ("detail", {"number": 1}), ("download", {"number": 1}), ("manifest", {"number": 1})]


@pytest.mark.parametrize(("name", "kwargs"), PAGES)
@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", 302), ("stranger", 404), ("annotator", 403), ("reviewer", 403), ("manager", 200)]
)
def test_who_may_open_what(client, project, name, kwargs, who, status):
    export_file(make_dataset(project, ["a"]))
    if who != "anonymous":
        user = make_user()
        client.force_login(user)
        if who != "stranger":
            add_member(project, user, Role(who))
    answer = client.get(url(project, name, **kwargs))
    assert answer.status_code == status
    b"".join(answer)
    answer.close()


def test_s19_export_of_another_project_is_not_found(manager, project):
    other = make_project(make_user())
    export_file(make_dataset(other, ["a"]))
    for name, kwargs in PAGES[1:]:
        assert manager.get(url(project, name, **kwargs)).status_code == 404
    assert manager.post(url(project, "retry", number=1)).status_code == 404


def test_s06_hostile_names_are_escaped(manager, project):
    evil = "<script>alert(1)</script>"
    dataset = make_dataset(project, [evil])
    dataset.name = evil
    dataset.save()
    export_file(dataset)
    for name, kwargs in PAGES[:2]:
        assert evil not in manager.get(url(project, name, **kwargs)).text
