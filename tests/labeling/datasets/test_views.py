import csv
from io import StringIO
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import StopUpload
from django.test import RequestFactory
from django.urls import reverse

from labeling.datasets.models import Dataset, Sample, Upload, UploadState
from labeling.datasets.streaming import LimitedUploadHandler, UploadLimit, upload_error
from labeling.projects.models import Role
from labeling.runs.models import Run
from tests.labeling.datasets.imports import begin, import_file, receive, work_off
from tests.labeling.factories import add_member, make_dataset, make_project, make_user

TABLE = "id,text,label\n1,a first text,positive\n2,a second text,neutral\n"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def project(transactional_db):
    return make_project(make_user())


@pytest.fixture
def manager(client, project):
    client.force_login(project.created_by)
    return client


def url(project, name, **kwargs):
    return reverse(f"datasets:{name}", kwargs={"slug": project.slug} | kwargs)


def send(client, project, content=TABLE, name="data.csv", **extra):
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(url(project, "list"), {"file": file}, **extra)


def mapping(**changes):
    data = {"format": "csv", "encoding": "utf-8", "delimiter": "comma", "goal": "new", "name": "Reviews"}
    return data | {"text_column": "text", "id_column": "id", "gold_column": "", "gold_use": "keep"} | changes


def test_upload_preview_import_summary(manager, project):
    response = send(manager, project)
    upload = Upload.objects.get()
    assert (response.status_code, response.url) == (303, f"{url(project, 'upload', upload_id=upload.pk)}?goal=new")
    page = manager.get(response.url)
    assert "a second text" in page.text
    assert "selected>text<" in page.text
    response = manager.post(url(project, "upload", upload_id=upload.pk), mapping())
    assert response.status_code == 303
    assert "data-live-topic" in manager.get(url(project, "upload", upload_id=upload.pk)).text
    work_off()
    page = manager.get(url(project, "upload", upload_id=upload.pk)).text
    assert "Imported" in page
    assert "data-live-topic" not in page
    assert Dataset.objects.get().name == "Reviews"


def test_fragment_for_htmx_is_the_same_part_of_the_page(manager, project):
    upload = receive(project, TABLE)
    part = manager.get(url(project, "upload", upload_id=upload.pk), **HTMX)
    assert part.text.lstrip().startswith('<div id="work"')
    begin(upload)
    part = manager.get(url(project, "upload", upload_id=upload.pk), **HTMX).text
    assert f'data-live-topic="import:{upload.pk}"' in part
    assert 'hx-trigger="live, every 5s"' in part


def test_c30_delimiter_can_be_changed_in_the_preview(manager, project):
    upload = receive(project, "id;text\n1;first, text\n2;second, text\n")
    here = url(project, "upload", upload_id=upload.pk)
    assert '<th scope="col" dir="auto">text</th>' in manager.get(here).text
    changed = manager.get(here, {"delimiter": "tab", "format": "csv", "encoding": "cp1252"})
    assert '<th scope="col" dir="auto">id;text</th>' in changed.text
    assert changed.status_code == 200


def test_wrong_encoding_in_the_preview_says_so(manager, project):
    upload = receive(project, "id,text\n1,odd\n")
    answer = manager.get(
        url(project, "upload", upload_id=upload.pk), {"encoding": "utf-16-le", "format": "csv", "delimiter": "comma"}
    )
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text_column": "nope"}, "Select a valid choice"),
        ({"text_column": ""}, "This field is required"),
        ({"id_column": "text"}, "This is the text column"),
        ({"gold_column": "text"}, "This is the text column"),
        ({"goal": "append:99"}, "Select a valid choice"),
        ({"goal": "nonsense"}, "Select a valid choice"),
    ],
)
def test_bad_mapping_is_422_with_the_form_as_it_was(manager, project, change, words):
    upload = receive(project, TABLE)
    response = manager.post(url(project, "upload", upload_id=upload.pk), mapping(**change))
    assert response.status_code == 422
    assert words in response.text
    assert 'value="Reviews"' in response.text
    upload.refresh_from_db()
    assert (upload.state, Dataset.objects.count()) == (UploadState.PREVIEW, 0)


@pytest.mark.parametrize("extra", [{}, HTMX])
def test_c25_file_that_is_none_is_422_with_the_reason(manager, project, extra):
    response = send(manager, project, b"PK\x03\x04" + b"\0" * 60, "data.csv", **extra)
    assert response.status_code == 422
    assert "zip archive" in response.text
    assert not Upload.objects.exists()


def test_no_file_is_422(manager, project):
    response = manager.post(url(project, "list"), {})
    assert response.status_code == 422
    assert "This field is required" in response.text


def test_c26_limit_stands_on_the_page_and_ends_the_upload(manager, project, settings):
    settings.UPLOAD_MAX_BYTES = 50_000
    assert "at most 48.8" in manager.get(url(project, "list")).text
    response = send(manager, project, "id,text\n" + "1,some text\n" * 10_000)
    assert response.status_code == 422
    assert "larger than 48.8" in response.text
    assert not Upload.objects.exists()
    assert not list(Path(settings.UPLOAD_FOLDER).glob("*.upload*"))


async def _answer(messages, headers=()):
    """What comes out of the limit in front of an application that reads all it is given."""
    sent, read = [], []

    async def app(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            read.append(message["body"])
            if not message.get("more_body"):
                break

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    await UploadLimit(app)({"type": "http", "headers": list(headers)}, receive, send)
    return sent, read


def test_c26_c27_announced_size_is_answered_before_a_byte_is_read(settings):
    settings.UPLOAD_MAX_BYTES = 100
    sent, read = async_to_sync(_answer)([], [(b"content-length", b"2000000")])
    assert (sent[0]["status"], read) == (413, [])
    assert b"UPLOAD_MAX_BYTES" in sent[1]["body"]


def test_c27_body_without_a_size_is_cut_at_the_limit(settings):
    settings.UPLOAD_MAX_BYTES = 100
    block = {"type": "http.request", "body": b"x" * 800_000, "more_body": True}
    sent, read = async_to_sync(_answer)([block, block, block])
    assert (sent[0]["status"], len(read)) == (413, 1)


def test_full_disk_ends_the_upload_with_words(rf: RequestFactory):
    request = rf.post("/")
    handler = LimitedUploadHandler(request)
    handler.new_file("file", "a.csv", "text/csv", 10, None)
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123 (a device)
        handler.file.file, kept = full, handler.file.file
        with pytest.raises(StopUpload):
            handler.receive_data_chunk(b"id,text\n", 0)
        handler.file.file = kept
    handler.upload_interrupted()
    assert "disk of the server is full" in upload_error(request)


def test_s17_own_file_names(project):
    upload = receive(project, TABLE, "../../etc/passwd\x00.csv")
    assert (upload.filename, Path(upload.path).name) == ("passwd.csv", upload.path)


def test_s06_hostile_cells_are_escaped_on_every_page(manager, project):
    evil = "<script>alert(1)</script>"
    upload = receive(
        project, f"id,text,{evil}\n1,{evil},{evil}\n2,,{evil}\n3,plain words that are long,x\n", f"{evil}.csv"
    )
    assert evil not in manager.get(url(project, "upload", upload_id=upload.pk)).text
    begin(upload, name=evil)
    work_off()
    upload.refresh_from_db()
    for page in (
        url(project, "list"),
        url(project, "upload", upload_id=upload.pk),
        url(project, "refused", upload_id=upload.pk),
        url(project, "detail", number=upload.dataset.number),
    ):
        assert evil not in manager.get(page).text


def test_s21_refused_list_downloads_without_formulas(manager, project):
    upload = import_file(project, 'id,text\n1,hello there\n=1+1,"a"b\n=2+2\n')
    answer = manager.get(url(project, "refused-csv", upload_id=upload.pk))
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert [row["line"] for row in rows] == ["3", "4"]
    assert rows[1]["excerpt"] == "'=2+2"
    assert answer["Content-Disposition"].startswith("attachment")


def test_refused_rows_are_paged_by_record(manager, project):
    upload = import_file(project, "id,text\n" + "".join(f"{i},hello there {i}\n" for i in range(200)) + "x\n" * 150)
    first = manager.get(url(project, "refused", upload_id=upload.pk))
    assert first.text.count("Cells in this row: 1;") == 100
    second = manager.get(url(project, "refused", upload_id=upload.pk), {"after": "299"})
    assert second.text.count("Cells in this row: 1;") == 50
    assert manager.get(url(project, "refused", upload_id=upload.pk), {"after": "x' OR 1"}).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_c42_list_costs_the_same_for_any_number(manager, project, count, django_assert_num_queries):
    for number in range(count):
        make_dataset(project, [f"text {number}"])
        receive(project, TABLE)
    manager.get(url(project, "list"))
    with django_assert_num_queries(8):
        assert manager.get(url(project, "list")).text.count("Data ") >= count


def test_empty_list_says_what_to_do(manager, project):
    assert "No data yet" in manager.get(url(project, "list")).text


def test_archive_and_its_refusal(manager, project):
    dataset = make_dataset(project, ["a", "b"])
    run = Run.objects.create(project=project, dataset=dataset, number=1, min_agree=1, row_count=2)
    page = url(project, "archive", number=dataset.number)
    assert manager.post(page).status_code == 409
    run.state = "cancelled"
    run.save()
    assert manager.post(page).status_code == 303
    assert "Archived" in manager.get(url(project, "detail", number=dataset.number)).text


def test_discard_removes_file_and_row(manager, project, settings):
    upload = receive(project, TABLE)
    path = Path(settings.UPLOAD_FOLDER) / upload.path
    assert path.exists()
    assert manager.post(url(project, "act", upload_id=upload.pk, verb="discard")).status_code == 303
    assert (path.exists(), Upload.objects.count()) == (False, 0)


def test_failed_import_shows_error_and_retry(manager, project):
    upload = import_file(project, "id,text\n" + "1,some words\n" * 300 + '9,"open', columns=None)
    assert upload.state == UploadState.FAILED
    page = manager.get(url(project, "upload", upload_id=upload.pk)).text
    assert "never closed" in page
    assert "Try again" in page
    assert (Sample.objects.count(), Dataset.objects.count()) == (0, 0)
    assert manager.post(url(project, "act", upload_id=upload.pk, verb="retry")).status_code == 303
    work_off()
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED


PAGES = [
    ("list", {}),
    ("detail", {"number": 1}),
    ("upload", {"upload_id": "UPLOAD"}),
    ("refused", {"upload_id": "UPLOAD"}),
    ("refused-csv", {"upload_id": "UPLOAD"}),
]


@pytest.mark.parametrize(("name", "kwargs"), PAGES)
@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", 302), ("stranger", 404), ("annotator", 403), ("reviewer", 403), ("manager", 200)]
)
def test_who_may_open_what(client, project, name, kwargs, who, status):
    upload = import_file(project, TABLE)
    kwargs = {key: upload.pk if value == "UPLOAD" else value for key, value in kwargs.items()}
    if who != "anonymous":
        user = make_user()
        client.force_login(user)
        if who != "stranger":
            add_member(project, user, Role(who))
    assert client.get(url(project, name, **kwargs)).status_code == status


def test_s19_child_of_another_project_is_not_found(manager, project):
    other = make_project(make_user())
    upload = import_file(other, TABLE)
    for _ in range(2):
        make_dataset(other, ["x"])
    for name, kwargs in PAGES[1:]:
        given = {key: upload.pk if value == "UPLOAD" else 3 for key, value in kwargs.items()}
        assert manager.get(url(project, name, **given)).status_code == 404
    for verb in ("stop", "retry", "discard"):
        assert manager.post(url(project, "act", upload_id=upload.pk, verb=verb)).status_code == 404
    assert manager.post(url(project, "archive", number=3)).status_code == 404


def test_s02_odd_parameters_change_nothing(manager, project):
    upload = import_file(project, TABLE)
    page = url(project, "upload", upload_id=upload.pk)
    plain = manager.get(page).text
    odd = manager.get(page, {"created_by__password__startswith": "a", "order": "project__created_by__password"}).text
    assert odd.count("stat") == plain.count("stat")


def test_c23_page_names_the_command_when_no_worker_lives(manager, project):
    begin(receive(project, TABLE))
    here = url(project, "upload", upload_id=Upload.objects.get().pk)
    assert "python manage.py up" in manager.get(here).text
    assert "python manage.py up" in manager.get(here, **HTMX).text
