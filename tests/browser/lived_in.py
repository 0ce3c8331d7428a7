"""A project in which everything has happened once, and the address of each page that shows it."""

from dataclasses import dataclass
from uuid import uuid4

from django.urls import reverse

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from labeling.accounts.links import signin_path
from labeling.datasets.models import Dataset, Upload
from labeling.datasets.readers.parts import Columns
from labeling.exports.actions import create_export
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.projects.models import Project, Role
from labeling.refinement.models import RefinementRound
from labeling.review.actions import claim
from labeling.runs.actions import start_run
from labeling.runs.models import Run
from labeling.runs.policies import Policy
from labeling.specialists.actions import add_specialist
from labeling.specialists.models import ScriptState, Source
from tests.labeling.asked import live_verified
from tests.labeling.datasets.imports import import_file, receive
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.llm.spending import live_with_models
from tests.labeling.piloted import measured, with_rows
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.made_assessments import frame, make_assessment, make_audit, make_measuring
from tests.labeling.refinement.made_rounds import make_done_round, make_training_round, make_waiting_round
from tests.labeling.specialists.scripts import make_script
from tests.labeling.specialists.search.made_searches import make_candidate, make_refused, make_search

# Routes that answer with no page for a person to look at: changes, files, fragments, health.
NO_PAGES = {
    "web:csp-report",
    "web:favicon",
    "accounts:sign-out",
    "projects:guideline",
    "projects:add-class",
    "projects:change-class",
    "projects:change-member",
    "projects:invite",
    "projects:revoke-invitation",
    "datasets:archive",
    "datasets:act",
    "datasets:refused-csv",
    "specialists:map",
    "specialists:act",
    "specialists:search-act",
    "specialists:search-add",
    "scripts:act",
    "scripts:download",
    "llm:act",
    "llm:add-price",
    "llm:drop-price",
    "llm:cap",
    "llm:ledger-csv",
    "cold:act",
    "runs:act",
    "overview:pilot-act",
    "review:decide",
    "review:skip",
    "review:undo",
    "review:release",
    "triage:confirm",
    "triage:undo",
    "desk:decide",
    "desk:send-back",
    "desk:undo",
    "desk:keep",
    "desk:leave",
    "desk:act",
    "desk:free",
    "accounts:session",
    "review:flag",
    "review:comment",
    "review:send",
    "review:votes",
    "review:auto-advance",
    "review:policy",
    "review:free",
    "quality:agreement-csv",
    "quality:draw",
    "quality:act",
    "refinement:start",
    "refinement:act",
    "refinement:decide",
    "refinement:source-test",
    "refinement:free-disk",
    "exports:retry",
    "exports:download",
    "exports:manifest",
    "exports:script",
    "overview:return",
    "overview:banner",
    "overview:live",
    "overview:ready",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What people and files call things."""

    project: str = "Shop feedback"
    guideline: str = "# In doubt\n\n- neutral\n- **never** guess"
    classes: tuple[str, ...] = ("negative", "neutral", "positive")
    filename: str = "feedback.csv"
    specialist: str = "fake"
    labels: tuple[str, ...] = ("negative", "neutral", "positive")
    member: str = "grace"
    gold: str = ""


def live_in(staff, table, folder, words=Words()):
    """The project: `table` (CSV with the columns order_id and text) imported, voted on, reviewed in part, exported."""
    project = make_project(staff, classes=words.classes, name=words.project, guideline=words.guideline)
    add_member(project, make_user(words.member), Role.ANNOTATOR)
    columns = Columns(text="text", id="order_id", gold=words.gold)
    dataset = import_file(project, table, words.filename, columns=columns).dataset
    receive(project, table + "\n", words.filename)
    _add_failed(project, folder / "nothing")
    versions = make_pool(project, folder, name=words.specialist, labels=[words.labels] * 3)
    run = start_run(
        project=project, dataset=dataset, versions=versions, policy=Policy(min_agree=len(versions)), by=staff
    )
    work_off()
    _decide_some(project, run, staff)
    _learn(run, versions)
    _write_scripts(versions[0])
    create_export(dataset=dataset, by=staff)
    work_off()
    _audit(project, run, staff)
    live_with_models(project, run.pk, sample=dataset.samples.first().pk)
    _search(project)
    run_asked = live_verified(staff).runs.earliest("number")
    with_rows(measured(run_asked, [one.connection for one in run_asked.verifiers.all()]))
    return project


def _audit(project, run, staff):
    """A measured run here; a project without an audit, one whose audit is drawn, and one that is being measured."""
    make_audit(run.dataset, drawn=4, answered=2, by=staff)
    for _number in range(2):
        make_assessment(run, target_error=4, answered=2)
    texts = [f"text {number}" for number in range(40)]
    for name in ("No audit", "Drawn", "Measuring"):
        other = make_run(make_dataset(make_project(staff, name=name), texts))
        frame(other.dataset)
        if name != "No audit":
            make_audit(other.dataset, drawn=5, answered=2, by=staff)
        if name == "Measuring":
            make_measuring(other)
    make_project(staff, name="No run")


def _search(project):
    """A search of the hub that recommends one model, passes over another, and refuses a third."""
    search = make_search(project)
    make_candidate(search)
    make_candidate(search, "acme/second", why_not="others_better", accuracy=None)
    make_refused(search)


def _add_failed(project, folder):
    """A specialist whose folder turned out to be none, and one that waits for its label map."""
    folder.mkdir(parents=True)
    add_specialist(project=project, source=Source.FOLDER, location=str(folder))
    labels = ("LABEL_0", "LABEL_1")
    waiting = write_fake_specialist(folder.parent / "waiting", FakeSettings(labels=labels))
    add_specialist(project=project, source=Source.FOLDER, location=str(waiting))
    work_off()


def _learn(run, versions):
    """A round that ended, one that waits for a manager, and one at work."""
    _round, pool = make_done_round(run, versions)
    make_waiting_round(run, pool)
    make_training_round(run, pool)


def _write_scripts(version):
    """A script that waits for a manager, one that was accepted, one that the check refused, one that failed."""
    make_script(version, code="# <img src=x onerror=alert(1)>\nX = '</code><script>alert(1)</script>'\n")
    make_script(version, ScriptState.ACCEPTED)
    make_script(version, ScriptState.REFUSED, checks=[{"line": 1, "message": "It imports os."}], comparison={})
    make_script(version, ScriptState.FAILED, error="Scripts are off on this machine.", code="", comparison={})


def _decide_some(project, run, staff, count=2):
    label_class = project.classes.first()
    for _round in range(count):
        held = claim(project=project, user_id=staff.pk)
        decide(
            item_id=held[0].item.pk,
            project=project,
            user_id=staff.pk,
            class_id=label_class.pk,
            client_id=uuid4(),
            elapsed_ms=1_500,
        )
    assert ReviewItem.objects.filter(run=run, state="open").exists(), "nothing is left on the review screen"


def pages_of(project):
    """{route: addresses} of all pages that show something of the project or the installation."""

    def at(name, **words):
        return reverse(name, kwargs={"slug": project.slug} | words)

    dataset = Dataset.objects.filter(project=project).latest("number")
    samples = list(dataset.samples.values_list("pk", flat=True))
    decided = ReviewItem.objects.filter(project=project, state="decided").values_list("sample_id", flat=True)
    uploads = Upload.objects.filter(project=project).values_list("pk", flat=True)
    runs = Run.objects.filter(project=project).values_list("number", flat=True)
    rounds = RefinementRound.objects.filter(project=project).values_list("number", flat=True)
    pages = (
        _model_pages(project)
        | _people_pages(project)
        | {
            "web:components": [reverse("web:components")],
            "accounts:sign-in": [reverse("accounts:sign-in")],
            "accounts:signin-link": [signin_path(Project.objects.get(pk=project.pk).created_by), "/sign-in/AA/x-y"],
            "projects:new": [reverse("projects:new")],
            "projects:settings": [at("projects:settings")],
            "datasets:list": [at("datasets:list"), at("datasets:list") + f"?goal=append:{dataset.number}"],
            "datasets:detail": [at("datasets:detail", number=dataset.number)],
            "datasets:upload": [at("datasets:upload", upload_id=pk) for pk in uploads],
            "datasets:refused": [at("datasets:refused", upload_id=pk) for pk in uploads],
            "runs:list": [at("runs:list")],
            "runs:new": [at("runs:new")],
            "runs:detail": [at("runs:detail", number=number) for number in runs],
            "review:screen": [at("review:screen")],
            "triage:grid": _grids(project),
            "desk:screen": [at("desk:screen")],
            "desk:queue": [at("desk:queue")],
            "desk:correct": [at("desk:correct", item_id=project.items.filter(state="decided").latest("id").pk)],
            "quality:page": [reverse("quality:page", kwargs={"slug": one.slug}) for one in Project.objects.all()],
            "refinement:list": [at("refinement:list")],
            "refinement:detail": [at("refinement:detail", number=number) for number in rounds],
            "exports:list": [at("exports:list")],
            "exports:detail": [at("exports:detail", number=1)],
            "overview:home": [reverse("overview:home")],
            "overview:project": [at("overview:project")],
            "overview:samples": [at("overview:samples"), at("overview:samples") + "?text=nothing+at+all"],
            "overview:sample": [at("overview:sample", sample_id=pk) for pk in {samples[0], samples[-1], decided[0]}],
            "overview:doctor": [reverse("overview:doctor")],
        }
    )
    for name, paths in _verified_pages(project).items():
        pages[name] = [*pages.get(name, ()), *paths]
    return pages


def _grids(project):
    """The triage grid: closed while an audit waits, empty, and of another project with texts on it."""
    elsewhere = Project.objects.get(name="No audit")
    empty = Project.objects.get(name="No run")
    return [reverse("triage:grid", kwargs={"slug": one.slug}) for one in (project, elsewhere, empty)]


def _people_pages(project):
    """The pages about people, and a person's own."""

    def at(name, **words):
        return reverse(name, kwargs={"slug": project.slug} | words)

    members = project.memberships.values_list("user_id", flat=True)
    return {
        "accounts:account": [reverse("accounts:account")],
        "projects:join": ["/join/x"],
        "projects:members": [at("projects:members")],
        "quality:people": [at("quality:people")],
        "quality:own-work": [at("quality:own-work")],
        "quality:person": [at("quality:person", user_id=pk) for pk in members],
        "review:keys": [reverse("review:keys")],
    }


def _verified_pages(project):
    """The pages of the project that a language model reviews, and the forecast, here too."""
    verified = Project.objects.get(name="Verified")

    def at(name, **words):
        return reverse(name, kwargs={"slug": verified.slug} | words)

    asked = verified.runs.earliest("number").dataset.samples.earliest("position")
    return {
        "runs:detail": [at("runs:detail", number=number) for number in (1, 2)],
        "runs:cap": [at("runs:cap", number=2)],
        "overview:sample": [at("overview:sample", sample_id=asked.pk)],
        "overview:forecast": [
            at("overview:forecast"),
            reverse("overview:forecast", kwargs={"slug": project.slug}),
        ],
        "overview:pilots": [
            at("overview:pilots"),
            reverse("overview:pilots", kwargs={"slug": project.slug}),
            reverse("overview:pilots", kwargs={"slug": Project.objects.get(name="No run").slug}),
        ],
    }


def _model_pages(project):
    """The pages about specialists, scripts and language models; some also of a project that has none."""

    def at(name, **words):
        return reverse(name, kwargs={"slug": project.slug} | words)

    elsewhere = Project.objects.get(name="No run").slug
    specialists = project.specialists.values_list("pk", flat=True)
    scripts = project.scripts.values_list("number", flat=True)
    connections = project.connections.values_list("pk", flat=True)
    return {
        "specialists:list": [at("specialists:list")],
        "specialists:add": [at("specialists:add", source=source) for source in ("hub", "folder")],
        "specialists:search": [at("specialists:search"), reverse("specialists:search", kwargs={"slug": elsewhere})],
        "scripts:list": [at("scripts:list")],
        "scripts:detail": [at("scripts:detail", number=number) for number in scripts],
        "specialists:detail": [at("specialists:detail", specialist_id=pk) for pk in specialists],
        "llm:connections": [at("llm:connections"), reverse("llm:connections", kwargs={"slug": elsewhere})],
        "llm:add": [at("llm:add")],
        "llm:connection": [at("llm:connection", connection_id=pk) for pk in connections],
        "llm:costs": [at("llm:costs"), reverse("llm:costs", kwargs={"slug": elsewhere})],
        "cold:train": [at("cold:train")],
    }
