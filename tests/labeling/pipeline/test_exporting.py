import csv
import json
from hashlib import sha256
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest

from annotator_core.types import LabelSource
from labeling.datasets.models import Sample
from labeling.datasets.readers.parts import Columns
from labeling.exports.actions import create_export, file_of, retry_export
from labeling.exports.queries import count_states, read_pages, read_source
from labeling.jobs.models import JobState
from labeling.jobs.queries import job_of
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Consensus, ReviewItem, Vote
from labeling.pipeline.work import do_one
from labeling.refinement.models import RefinementRound
from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.specialists.models import Specialist, SpecialistVersion
from labeling.web.cells import guard, unguard
from labeling.web.errors import ActionError
from tests.labeling.datasets.corpus import CELLS
from tests.labeling.datasets.imports import import_file, work_off
from tests.labeling.exports.exporting import csv_rows, export_file, jsonl_rows
from tests.labeling.factories import make_dataset, make_project, make_run, make_user


@pytest.fixture
def project(transactional_db):
    return make_project(make_user("ada"))


def _csv(rows):
    file = StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    return file.getvalue()


def _corpus_rows():
    """Each cell of the corpus beside a text, and as a text where it may be one."""
    header = ["id", "cell", "text"]
    return [header, *([str(i), cell, cell if cell.strip() else "text"] for i, cell in enumerate(CELLS))]


COLUMNS = Columns("text", "id")


@pytest.mark.parametrize("is_raw", [True, False])
def test_s21_csv_gives_every_cell_back(project, is_raw):
    rows = _corpus_rows()
    upload = import_file(project, _csv(rows), columns=COLUMNS)
    assert upload.refused_count == 0
    _export, data = export_file(upload.dataset, is_raw=is_raw)
    back = [row[:3] for row in csv.reader(StringIO(data.decode(), newline=""), strict=True)]
    assert back == (rows if is_raw else [[guard(cell) for cell in row] for row in rows])
    assert all(unguard(guard(cell)) == cell for cell in CELLS)


def test_s21_guarded_export_imports_again_without_loss(project):
    upload = import_file(project, _csv(_corpus_rows()), columns=COLUMNS)
    _export, data = export_file(upload.dataset)
    assert not [
        row
        for row in csv.reader(StringIO(data.decode(), newline=""))
        if any(c[:1] in ("=", "+", "-", "@", "\t", "\r") and c for c in row)
    ]
    again = import_file(project, data, "again.csv", columns=Columns("text", "id", is_guarded=True))
    assert again.refused_count == 0
    first, second = (
        list(u.dataset.samples.order_by("position").values_list("text", flat=True)) for u in (upload, again)
    )
    assert first == second
    cells = [
        [json.loads(c)[1] for c in u.dataset.samples.order_by("position").values_list("cells", flat=True)]
        for u in (upload, again)
    ]
    assert cells[0] == cells[1] == list(CELLS)


def test_jsonl_gives_every_csv_cell_back(project):
    rows = _corpus_rows()
    upload = import_file(project, _csv(rows), columns=COLUMNS)
    _export, data = export_file(upload.dataset, format="jsonl")
    assert [[row["id"], row["cell"], row["text"]] for row in jsonl_rows(data)] == rows[1:]


def test_jsonl_gives_every_value_back_as_written(project):
    values = ["1.50", "1e400", "12345678901234567890123", "null", "true", '{"a": [1, 2.0]}', '"\\u00e9"', '""']
    lines = [
        f'{{"id": {i}, "v": {value}, "text": {json.dumps(cell)}, "last":"x" }}'
        for i, (value, cell) in enumerate(zip(values * 5, (c for c in CELLS if c.strip()), strict=False))
    ]
    upload = import_file(project, "\n".join(lines), "data.jsonl", columns=COLUMNS)
    assert upload.refused_count == 0
    _export, data = export_file(upload.dataset, format="jsonl")
    written = data.decode().split("\n")[:-1]
    for line, given in zip(written, lines, strict=True):
        head = given[:-1].rstrip().split('"text"')[0]
        assert line.startswith(head)
        assert json.loads(line)["text"] == json.loads(given)["text"]
    _export, data = export_file(upload.dataset)
    assert [row["v"] for row in csv_rows(data)][:4] == ["1.50", "1e400", "12345678901234567890123", ""]


def test_missing_and_empty_keys_of_jsonl(project):
    upload = import_file(
        project, '{"text": "a", "x": ""}\n{"text": "b"}\n{"text": "c", "x": null}\n', "d.jsonl", columns=Columns("text")
    )
    _export, data = export_file(upload.dataset, format="jsonl")
    assert [row.get("x", "missing") for row in jsonl_rows(data)] == ["", "missing", None]


def test_our_names_step_aside(project):
    upload = import_file(project, "id,text,label,aa_label,votes\n1,some text,x,y,3\n", columns=COLUMNS)
    _export, data = export_file(upload.dataset)
    header = data.decode().split("\r\n")[0].split(",")
    assert header[:7] == ["id", "text", "label", "aa_label", "votes", "aa_aa_label", "label_source"]
    assert "aa_votes" in header
    assert csv_rows(data)[0]["label"] == "x"


def test_every_row_says_who_decided_and_why(project):
    dataset = make_dataset(project, ["one", "two", "three", "three"])
    run = make_run(dataset, hard={1, 2, 3})
    item = ReviewItem.objects.get(text_hash=dataset.samples.get(position=2).text_hash)
    positive = project.classes.get(name="positive")
    decide(project=project, item_id=item.pk, user_id=project.created_by_id, class_id=positive.pk, client_id=uuid4())
    export, data = export_file(dataset)
    rows = csv_rows(data)
    assert [(row["label"], row["label_source"], row["route"], row["run"]) for row in rows] == [
        ("negative", "consensus", "accept", str(run.number)),
        ("", "", "review", str(run.number)),
        ("positive", "human", "review", str(run.number)),
        ("positive", "human", "review", str(run.number)),
    ]
    assert [row["annotators"] for row in rows] == ["", "", "ada", "ada"]
    assert [rows[3][name] for name in ("labels_by_annotator", "answer_modes")] == ["ada=positive", "ada=single"]
    assert rows[0]["decided_at"].endswith("Z")
    assert rows[0]["uncertainty"] == "0.333333"
    assert export.manifest["counts"]["by_source"] == {"human": 2, "consensus": 1, "none": 1}


def test_c37_counts_before_are_those_in_the_file(project):
    dataset = make_dataset(project, ["a", "b", "c", "d", "e"])
    classes = list(project.classes.all())
    for source, positions in (
        (LabelSource.CONSENSUS, (0, 1)),
        (LabelSource.HUMAN, (1, 2)),
        (LabelSource.IMPORTED, (3,)),
    ):
        ids = dataset.samples.filter(position__in=positions).values_list("id", flat=True)
        set_labels(rows=[LabelRow(pk, classes[0].pk) for pk in ids], source=source)
    before = {part.source or "none": part.count for part in count_states(dataset)}
    export, _data = export_file(dataset)
    assert before == export.manifest["counts"]["by_source"] == {"consensus": 1, "human": 2, "imported": 1, "none": 1}
    export, data = export_file(dataset, only_labeled=True)
    assert (export.row_count, len(csv_rows(data))) == (4, 4)


def test_manifest_tells_how_the_file_came_to_be(project):
    upload = import_file(project, "id,text\n1,some text\n2,more text\n", "in.csv")
    export, data = export_file(upload.dataset)
    manifest = export.manifest
    assert manifest["output"] == {"rows": 2, "bytes": len(data), "sha256": sha256(data).hexdigest()}
    assert manifest["dataset"]["inputs"] == [
        {"filename": "in.csv", "sha256": upload.sha256, "bytes": upload.size_bytes, "rows": 2}
    ]
    assert manifest["classes"] == ["negative", "neutral", "positive"]
    assert manifest["run"] is None


def test_c35_failed_export_shows_its_error_and_can_be_tried_again(project, settings):
    """The part file lies on a device that is always full."""
    dataset = make_dataset(project, ["a", "b"])
    export = create_export(dataset=dataset, by=None)
    folder = Path(settings.EXPORT_FOLDER)
    (folder / f"export-{export.pk}.1.part").symlink_to("/dev/full")
    work_off()
    job = job_of("export", export.pk)
    assert job.state == JobState.FAILED
    assert "disk of the server is full" in job.error
    assert not list(folder.glob(f"export-{export.pk}*"))
    with pytest.raises(ActionError, match="not there"):
        file_of(export)
    retry_export(export=export)
    work_off()
    export.refresh_from_db()
    assert export.is_ready
    assert job_of("export", export.pk).state == JobState.DONE


def test_worker_that_leaves_midway_leaves_no_part(project, settings):
    dataset = make_dataset(project, ["a", "b"])
    export = create_export(dataset=dataset, by=None)
    do_one(["io"], "test")
    do_one(["io"], "test", lambda: True)
    assert not list(Path(settings.EXPORT_FOLDER).glob(f"export-{export.pk}*"))
    work_off()
    export.refresh_from_db()
    assert (export.is_ready, job_of("export", export.pk).progress) == (True, 2)


def test_s17_file_outside_the_folder_is_never_given(project, settings):
    export, _data = export_file(make_dataset(project, ["a"]))
    evil = Path(settings.EXPORT_FOLDER).with_name("exports-evil")
    evil.mkdir(exist_ok=True)
    (evil / "x").write_text("secret")
    for name in ("../exports-evil/x", str(evil / "x"), "../autoannotator.sqlite3", ""):
        export.path = name
        with pytest.raises(ActionError):
            file_of(export)


def test_c36_queries_do_not_grow_with_the_samples_of_a_page(project, django_assert_num_queries):
    dataset = make_dataset(project, [f"text {i}" for i in range(1_200)])
    make_run(dataset, hard=set())
    source = read_source(dataset)
    with django_assert_num_queries(3):
        pages = list(read_pages(source))
    assert len(pages[0].samples) == len(pages[0].labels) == len(pages[0].consensus) == 1_200


def add_member(run, name, number=1, position=0, generation=0, **fields):
    """A version in a generation of the run's pool."""
    classes = list(run.project.classes.all())
    specialist, _new = Specialist.objects.get_or_create(
        project=run.project, name=name, defaults={"source": "folder", "location": "x"}
    )
    version = SpecialistVersion.objects.create(
        specialist=specialist,
        number=number,
        weights_hash=f"{name} {number}",
        model_labels=["L0"],
        targets=[classes[0].pk],
        class_ids=[one.pk for one in classes],
        max_length=128,
        **fields,
    )
    pool = run.generations.get(number=generation)
    PoolMember.objects.create(generation=pool, version=version, position=position)
    return version


def test_votes_name_model_class_and_probability(project):
    dataset = make_dataset(project, ["a", "b"])
    run = make_run(dataset, hard=set())
    positive = project.classes.get(name="positive")
    for position, (name, class_id, top) in enumerate((("one", positive.pk, 0.91234), ("two", None, None))):
        version = add_member(run, name, position=position)
        Vote.objects.create(
            sample=Sample.objects.get(position=0), version=version, label_class_id=class_id, top_probability=top
        )
    export, data = export_file(dataset)
    assert [row["votes"] for row in csv_rows(data)] == ["one v1=positive@0.912; two v1=(abstained)", ""]
    assert export.manifest["run"]["specialists"][0]["label_map"] == {"L0": "negative"}


@pytest.fixture
def refined(project):
    """A run of two generations: the pool of the second voted again on row 0 alone, and made it accepted."""
    run = make_run(make_dataset(project, ["a", "b"]), hard={0, 1})
    first = add_member(run, "one")
    PoolGeneration.objects.create(run=run, number=1, origin="round", round_number=1, voted_again=1, taken_off=1)
    second = add_member(run, "one", 2, generation=1, parent=first, origin="round")
    Run.objects.filter(pk=run.pk).update(generation=1)
    negative, neutral, _positive = project.classes.all()
    sample, other = run.dataset.samples.order_by("position")
    Consensus.objects.filter(sample=sample).update(is_current=False)
    Consensus.objects.create(
        run=run, sample=sample, generation=1, label_class=negative, uncertainty=0, score=1, route="accept"
    )
    votes = ((sample, first, neutral), (sample, second, negative), (other, first, neutral))
    for each, version, one in votes:
        Vote.objects.create(sample=each, version=version, label_class=one)
    row = LabelRow(sample.pk, negative.pk, run_id=run.pk, generation=1)
    set_labels(rows=[row], source=LabelSource.CONSENSUS)
    return run


def test_each_row_has_the_votes_of_the_pool_that_stands_behind_it(refined):
    _export, data = export_file(refined.dataset)
    names = ("label", "uncertainty", "route", "votes", "run", "generation")
    number = str(refined.number)
    assert [tuple(row[name] for name in names) for row in csv_rows(data)] == [
        ("negative", "0.0", "accept", "one v2=negative", number, "1"),
        ("", "0.333333", "review", "one v1=neutral", number, "0"),
    ]


def test_a_persons_label_names_the_pool_that_asked(refined):
    item = ReviewItem.objects.get(sample__position=1)
    ada, positive = refined.project.created_by, refined.project.classes.get(name="positive")
    decide(project=refined.project, item_id=item.pk, user_id=ada.pk, class_id=positive.pk, client_id=uuid4())
    _export, data = export_file(refined.dataset)
    row = csv_rows(data)[1]
    assert (row["label_source"], row["annotators"], row["run"], row["generation"]) == (
        "human",
        "ada",
        str(refined.number),
        "0",
    )


def test_manifest_names_policy_generations_and_rounds(refined):
    made = RefinementRound.objects.create(
        project=refined.project, number=1, run=refined, dataset=refined.dataset, trigger="beta", seed=5, state="done",
        epochs=3, learning_rate=2e-5, batch_size=16, pool_rows=2, generation_before=0, generation_after=1,
    )  # fmt: skip
    version = SpecialistVersion.objects.get(number=2)
    made.challengers.create(
        position=0, specialist=version.specialist, version=version, seed=1, verdict="better", p_better=0.9
    )
    refined.generations.filter(number=1).update(aggregation={"name": "stacker"}, cut_score=0.5)
    Run.objects.filter(pk=refined.pk).update(target_error=5)
    export, _data = export_file(refined.dataset)
    told = export.manifest["run"]
    ways = [(one["aggregation"], one["cut_score"]) for one in told["generations"]]
    assert (ways, told["policy"]["target_error"]) == ([(None, None), ("stacker", 0.5)], 5)
    assert (told["policy"]["name"], told["policy"]["replay_share"], told["policy"]["beta"]) == ("custom", 0.2, None)
    assert [(one["number"], one["origin"], one["round"]) for one in told["generations"]] == [
        (0, "start", None),
        (1, "round", 1),
    ]
    assert [one["versions"][0]["parent"] for one in told["generations"]] == [None, "one 1"]
    assert told["generations"][1]["counters"] == {"voted_again": 1, "taken_off": 1, "renewed": 0, "relabeled": 0}
    (told_round,) = told["rounds"]
    assert (told_round["seed"], told_round["rows"]["pool"], told_round["challengers"][0]["verdict"]) == (5, 2, "better")


def test_c36_queries_do_not_grow_with_generations(refined, django_assert_num_queries):
    source = read_source(refined.dataset)
    with django_assert_num_queries(4):
        list(read_pages(source))


def test_an_export_with_generations_imports_again(refined):
    _export, data = export_file(refined.dataset)
    again = import_file(refined.project, data, "again.csv", columns=Columns("text", "id", is_guarded=True))
    assert (again.refused_count, again.dataset.row_count) == (0, 2)
    _export, data = export_file(again.dataset)
    assert data.decode().split("\r\n")[0].split(",")[-2:] == ["aa_generation", "aa_audit"]
