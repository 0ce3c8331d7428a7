from threading import Thread

import pytest
from django.db import connection

from annotator_core.types import LabelSource
from labeling.datasets import engine
from labeling.datasets.actions.imports import archive_dataset, retry_import, stop_import
from labeling.datasets.models import Dataset, RefusedRow, Sample, UploadState
from labeling.datasets.queries import frame_rows
from labeling.datasets.readers.parts import Columns
from labeling.jobs.models import Chunk, JobState
from labeling.jobs.queries import job_of
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Label
from labeling.pipeline.work import do_one
from labeling.web.errors import ActionError
from tests.labeling.datasets.imports import begin, import_file, receive, work_off
from tests.labeling.factories import make_project, make_run, make_user
from tests.labeling.full_disk import room_for


@pytest.fixture
def project(transactional_db):
    return make_project(make_user())


def rows(count, start=0, label="positive"):
    return "id,text,label\n" + "".join(f"r{i},text number {i},{label}\n" for i in range(start, start + count))


def job(upload):
    return job_of("import", upload.pk)


def test_import_makes_a_ready_data_set(project):
    upload = import_file(project, rows(7), "reviews.csv")
    dataset = upload.dataset
    assert (dataset.name, dataset.row_count, dataset.is_ready) == ("reviews", 7, True)
    assert list(dataset.samples.order_by("position").values_list("position", "external_id")) == [
        (i, f"r{i}") for i in range(7)
    ]
    assert (job(upload).state, job(upload).progress, job(upload).total) == (JobState.DONE, 7, 7)
    assert not engine.path_of(upload).exists()


def test_killed_between_batches_resumes_without_loss_or_double(project, monkeypatch):
    monkeypatch.setattr(engine, "BATCH_ROWS", 3)
    upload = receive(project, rows(10) + ",no id,positive\n" + rows(3, 10).split("\n", 1)[1])
    begin(upload, columns=Columns("text", "id", "label"))
    while not Chunk.objects.exists():
        do_one(["io"], "test")
    seen = []

    def stop_after_two_batches():
        upload.refresh_from_db()
        seen.append(upload.records_done)
        return upload.records_done >= 6

    assert do_one(["io"], "test", stop_after_two_batches)
    upload.refresh_from_db()
    assert (upload.records_done, upload.state, Sample.objects.count()) == (6, UploadState.IMPORTING, 6)
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.accepted_count, upload.refused_count) == (UploadState.DONE, 13, 1)
    assert sorted(Sample.objects.values_list("position", flat=True)) == list(range(13))
    assert RefusedRow.objects.get().record == 10


def test_worker_that_lost_its_lease_stores_nothing(project, monkeypatch):
    monkeypatch.setattr(engine, "BATCH_ROWS", 3)
    upload = receive(project, rows(10))
    begin(upload)
    do_one(["io"], "test")

    def lose_the_lease():
        upload.refresh_from_db()
        if upload.records_done == 3:
            Chunk.objects.update(attempts=99)
        return False

    do_one(["io"], "test", lose_the_lease)
    assert Sample.objects.count() == 3
    Chunk.objects.update(state="todo")
    work_off()
    assert sorted(Sample.objects.values_list("position", flat=True)) == list(range(10))


def test_c39_append_of_rows_that_are_there_changes_nothing(project):
    first = import_file(project, rows(5))
    again = import_file(project, rows(8), mode="append", target=first.dataset)
    assert (again.accepted_count, again.refused_count) == (3, 5)
    assert Sample.objects.count() == 8
    assert set(RefusedRow.objects.values_list("reason", flat=True)) == {
        "A row with this id is in the data set already."
    }
    assert Dataset.objects.get().row_count == 8


def test_c39_the_same_file_without_ids_is_refused(project):
    columns = Columns("text")
    first = import_file(project, rows(5), columns=columns)
    with pytest.raises(ActionError, match="in “data” already"):
        begin(receive(project, rows(5)), columns=columns, mode="append", target=first.dataset)


def test_append_takes_columns_in_another_order(project):
    first = import_file(project, "id,text,label\nr0,hello there,a\n")
    import_file(project, "label,id,text\nb,r1,hello again\n", mode="append", target=first.dataset)
    assert list(Sample.objects.order_by("position").values_list("cells", flat=True)) == [
        '["r0", null, "a"]',
        '["r1", null, "b"]',
    ]


def test_append_with_other_columns_is_refused(project):
    first = import_file(project, rows(2))
    with pytest.raises(ActionError, match="Different: extra, label"):
        begin(receive(project, "id,text,extra\n1,some text,x\n"), mode="append", target=first.dataset)


def test_audit_frame_is_stable_under_append(project):
    first = import_file(project, rows(50))
    dataset = first.dataset
    until, before = dataset.frame_until, set(_framed(dataset))
    assert len(before) == 10
    import_file(project, rows(50, 50), mode="append", target=dataset)
    dataset.refresh_from_db()
    assert dataset.frame_until == until
    assert before <= set(_framed(dataset))
    assert frame_rows(dataset) == len(_framed(dataset))


def _framed(dataset):
    framed = dataset.samples.filter(text_hash__lte=dataset.frame_until)
    return list(framed.values_list("text", flat=True))


def test_replace_keeps_the_larger_audit_frame(project):
    first = import_file(project, rows(10))
    first.dataset.frame_until = "f" * 32
    first.dataset.save()
    second = import_file(project, rows(20), mode="replace", target=first.dataset)
    assert second.dataset.frame_until == "f" * 32


def test_replace_carries_peoples_labels_and_archives_the_old(project):
    first = import_file(project, "id,text\na,same\nb,same\nc,gone\nd,only here\n")
    _label(first.dataset, project, human={"a": 0, "b": 1, "c": 0}, consensus={"d": 2})
    second = import_file(
        project, "id,text\nb,same\nx,same\nd,only here\ne,brand new\n", mode="replace", target=first.dataset
    )
    carried = {label.sample.external_id: (label.label_class.name, label.source) for label in _labels(second.dataset)}
    assert carried == {"b": ("neutral", "human"), "x": ("neutral", "human")}
    assert second.carried_count == 2
    first.dataset.refresh_from_db()
    assert first.dataset.archived_at is not None
    assert first.dataset.replaced_by == second.dataset
    assert first.dataset.samples.count() == 4


def _label(dataset, project, **by_source):
    classes = list(project.classes.all())
    for source, given in by_source.items():
        ids = dict(dataset.samples.values_list("external_id", "id"))
        for external_id, index in given.items():
            set_labels(rows=[LabelRow(ids[external_id], classes[index].pk)], source=LabelSource(source))


def _labels(dataset):
    return Label.objects.filter(sample__dataset=dataset, is_current=True).select_related("label_class", "sample")


def test_replace_is_refused_while_a_run_is_active(project):
    first = import_file(project, rows(3))
    make_run(first.dataset)
    with pytest.raises(ActionError, match=r"Run 1 is active on “data”\. Cancel it first"):
        begin(receive(project, rows(4)), mode="replace", target=first.dataset)
    with pytest.raises(ActionError, match="Cancel it first"):
        archive_dataset(dataset=first.dataset)


def test_replace_waits_for_a_person_when_a_run_began_meanwhile(project):
    first = import_file(project, rows(3))
    upload = receive(project, rows(4))
    begin(upload, mode="replace", target=first.dataset)
    run = make_run(first.dataset)
    work_off()
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    assert "Cancel it first" in upload.error
    run.state = "cancelled"
    run.save()
    retry_import(upload=upload)
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.dataset.is_ready, upload.dataset.row_count) == (UploadState.DONE, True, 4)


def test_c40_gold_counts_as_done_where_it_names_a_class(project):
    upload = import_file(
        project,
        "id,text,label\n1,first one,positive\n2,second one, NEGATIVE \n3,third one,joy\n4,fourth one,\n5,fifth,joy\n",
        gold_use="verified",
    )
    found = {label.sample.external_id: (label.label_class.name, label.source) for label in _labels(upload.dataset)}
    assert found == {"1": ("positive", "imported"), "2": ("negative", "imported")}
    assert (upload.gold_count, upload.gold_unknown) == (2, {"joy": 2})


def test_c40_gold_that_is_kept_decides_nothing(project):
    upload = import_file(project, rows(3))
    assert upload.dataset.samples.filter(gold="positive").count() == 3
    assert not Label.objects.exists()


def test_s07_missing_classes_are_made_on_request(project):
    evil = "<img src=x onerror=alert(1)>"
    text = f"id,text,label\n1,first one,joy\n2,second one,{evil}\n"
    columns = Columns("text", "id", "label")
    upload = import_file(project, text, columns=columns, gold_use="verified", is_creating_classes=True)
    assert upload.gold_count == 2
    assert set(project.classes.values_list("name", flat=True)) >= {"joy", evil}


def test_too_many_missing_classes_fail_whole(project):
    text = "id,text,label\n" + "".join(f"{i},text number {i},class {i}\n" for i in range(51))
    upload = import_file(
        project, text, columns=Columns("text", "id", "label"), gold_use="verified", is_creating_classes=True
    )
    assert upload.state == UploadState.FAILED
    assert "51 values that are no class" in upload.error
    assert (Sample.objects.count(), Dataset.objects.count(), project.classes.count()) == (0, 0, 3)


def test_no_row_taken_fails_whole_and_keeps_the_reasons(project):
    upload = import_file(project, "id,text\n1,\n2, \n", columns=Columns("text", "id"))
    assert upload.state == UploadState.FAILED
    assert upload.error == "None of the 2 rows could be taken. The list of refused rows says why."
    assert (upload.dataset, Dataset.objects.count(), upload.refused.count()) == (None, 0, 2)


def test_failed_append_takes_back_only_its_own_rows(project, monkeypatch):
    first = import_file(project, rows(4))
    monkeypatch.setattr(engine, "BATCH_ROWS", 100)
    upload = receive(project, rows(300, 4) + '99,"open')
    begin(upload, mode="append", target=first.dataset)
    work_off()
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    assert "never closed" in upload.error
    assert (Sample.objects.count(), Dataset.objects.get().row_count) == (4, 4)


def test_stopped_import_leaves_nothing_and_can_be_tried_again(project, monkeypatch):
    monkeypatch.setattr(engine, "BATCH_ROWS", 2)
    upload = receive(project, rows(10))
    begin(upload)
    do_one(["io"], "test")

    def ask_to_stop():
        if Sample.objects.count() == 4:
            stop_import(upload=upload)
        return False

    do_one(["io"], "test", ask_to_stop)
    work_off()
    upload.refresh_from_db()
    assert (upload.state, Sample.objects.count(), Dataset.objects.count()) == (UploadState.FAILED, 0, 0)
    retry_import(upload=upload)
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.accepted_count) == (UploadState.DONE, 10)


def test_parallel_imports_into_two_data_sets(project):
    uploads = [receive(project, rows(3_000), f"{name}.csv") for name in ("one", "two")]
    for upload in uploads:
        begin(upload)
    threads = [Thread(target=_hand) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work_off()
    for upload in uploads:
        upload.refresh_from_db()
        assert (upload.state, upload.dataset.samples.count()) == (UploadState.DONE, 3_000)
    assert sorted(Dataset.objects.values_list("number", flat=True)) == [1, 2]


def _hand():
    work_off()
    connection.close()


@pytest.mark.only_sqlite
def test_full_database_fails_with_words_and_leaves_nothing(project):
    upload = receive(project, "id,text\n" + "".join(f"{i},{'text ' * 2_000}{i}\n" for i in range(300)))
    begin(upload)
    with room_for(100):
        work_off()
    upload.refresh_from_db()
    assert upload.state == UploadState.FAILED
    assert "disk of the server is full" in upload.error
    assert (Sample.objects.count(), Dataset.objects.count()) == (0, 0)
    retry_import(upload=upload)
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.accepted_count) == (UploadState.DONE, 300)


def test_missing_file_says_so(project):
    upload = receive(project, rows(3))
    begin(upload)
    engine.path_of(upload).unlink()
    work_off()
    upload.refresh_from_db()
    assert (upload.state, upload.error) == (
        UploadState.FAILED,
        "The uploaded file is gone from the server. Upload it again.",
    )


def test_jsonl_keys_of_later_rows_become_columns(project):
    upload = import_file(project, '{"text": "a", "n": 1}\n{"text": "b", "extra": [1]}\n', "data.jsonl")
    assert upload.dataset.columns == ["text", "n", "extra"]


def test_s07_a_gold_value_that_can_be_no_class_is_named(project):
    upload = import_file(
        project,
        'id,text,gold\n1,a,fine\n2,b,"bad\u200b\u0007"\n',
        columns=Columns("text", "id", "gold"),
        gold_use="verified",
        is_creating_classes=True,
    )
    assert upload.state == UploadState.FAILED
    assert "“bad" in upload.error
    assert Dataset.objects.count() == 0


@pytest.mark.only_sqlite
def test_c29_a_small_import_does_not_teach_the_database_to_scan(project):
    dataset = import_file(project, rows(200)).dataset
    wanted = Sample.objects.filter(dataset=dataset, external_id__in=[f"r{number}" for number in range(500)])
    plan = wanted.values_list("external_id", "upload_id").explain()
    assert "SEARCH" in plan
    assert "SCAN" not in plan
