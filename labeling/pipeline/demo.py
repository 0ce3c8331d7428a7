"""The demo project, built by the site's own actions and jobs. Every step looks first at what is there already."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

from django.utils.translation import gettext as _

from annotator_core import demo
from labeling.accounts.models import User
from labeling.datasets.actions.imports import start_import
from labeling.datasets.actions.uploads import Plan, receive_stream
from labeling.datasets.engine import reading_of
from labeling.datasets.models import Dataset, GoldUse, Upload, UploadState
from labeling.datasets.queries import current_datasets
from labeling.datasets.readers.parts import Columns
from labeling.pipeline.work import do_one
from labeling.projects.actions import ClassSpec, create_project
from labeling.projects.models import Project
from labeling.runs.actions import start_run
from labeling.runs.models import Run
from labeling.runs.policies import Policy, default_policy
from labeling.runs.queries import newest_run
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import Source, Specialist, SpecialistState, SpecialistVersion
from labeling.specialists.queries import newest_trial, newest_version
from labeling.web.errors import ActionError

SLUG = "demo"
QUEUES = ("io", "consensus")
PATIENCE_S = 300.0
BETA = 20
"""Chosen: a minute or two of decisions."""
REPLAY_SHARE = 0.97
"""Twenty hard rows teach nothing alone; with 647 checked ones a round usually promotes somebody (docs/demo.md)."""
LEARNING_RATE = 5e-4
"""Source: docs/demo.md; models this small learn little at the 2e-5 of base-size ones."""
CHECKED = "verified.csv"
Say = Callable[[str], None]
Start = Callable[[Dataset, list[SpecialistVersion]], Run]


def build_demo(*, owner: User, say: Say) -> Run:
    """The demo's run, started here for the workers of `up` unless there is one. Raises ActionError."""
    project = demo_project(owner, SLUG, _("Demo: shop feedback"))

    def start(dataset: Dataset, versions: list[SpecialistVersion]) -> Run:
        policy = demo_policy(len(versions))
        return start_run(project=project, dataset=dataset, versions=versions, policy=policy, by=owner)

    return demo_run(project, owner, say, start)


def demo_run(project: Project, owner: User, say: Say, start: Start) -> Run:
    """The project's newest run on the demo's feedback, else the one that `start` starts. Raises ActionError."""
    _checked(project, owner, say)
    dataset = _dataset(project, owner, say)
    found = newest_run(dataset)
    if found is not None:
        return found
    run = start(dataset, _specialists(project, owner, say))
    say(_("Run 1 is ready to vote on %(rows)d texts.") % {"rows": run.row_count})
    return run


def demo_policy(pool_size: int) -> Policy:
    """The recommended policy with the figures that let models of 2 MB learn from twenty decisions."""
    policy = default_policy(pool_size, beta=BETA)
    return replace(policy, replay_share=REPLAY_SHARE, random_share=0.0, learning_rate=LEARNING_RATE)


def demo_project(owner: User, slug: str, name: str) -> Project:
    """The project of that slug, made with the demo's classes and guideline unless it is there."""
    found = Project.objects.filter(slug=slug).first()
    return found or create_project(
        owner=owner,
        slug=slug,
        name=name,
        description=_("What customers of a shop write, by how they feel about it."),
        classes=[ClassSpec(name) for name in demo.CLASSES],
        guideline=demo.guideline(),
    )


def _checked(project: Project, owner: User, say: Say) -> None:
    """Feedback whose gold labels are taken as verified: the gate's rows and the replay. Imported once, ever."""
    uploads = project.uploads.filter(filename=CHECKED)
    if uploads.filter(state=UploadState.DONE).exists():
        return
    upload = uploads.filter(state=UploadState.IMPORTING).first()
    if upload is None:
        upload = _upload(project, owner, demo.verified_path(), _("Checked feedback"), GoldUse.VERIFIED)
    _imported(upload, say)


def _dataset(project: Project, owner: User, say: Say) -> Dataset:
    """The feedback to label: the oldest data set in use beside the checked one."""
    ready = [dataset for dataset in current_datasets(project) if not dataset.uploads.filter(filename=CHECKED).exists()]
    if ready:
        return ready[-1]
    open_uploads = project.uploads.filter(state=UploadState.IMPORTING).exclude(filename=CHECKED)
    upload = open_uploads.first() or _upload(project, owner, demo.feedback_path(), _("Feedback"), GoldUse.KEEP)
    return _imported(upload, say)


def _imported(upload: Upload, say: Say) -> Dataset:
    _work_until(lambda: _import_state(upload) != UploadState.IMPORTING)
    upload.refresh_from_db()
    if upload.dataset is None or upload.state != UploadState.DONE:
        raise ActionError(_("The demo's texts were not imported: %(error)s") % {"error": upload.error})
    say(_("Imported %(rows)d texts.") % {"rows": upload.dataset.row_count})
    return upload.dataset


def _upload(project: Project, owner: User, path: Path, name: str, gold_use: GoldUse) -> Upload:
    with path.open("rb") as stream:
        upload = receive_stream(project=project, stream=stream, filename=path.name, by=owner)
    columns = Columns(text="text", id="order_id", gold="gold")
    plan = Plan(reading=reading_of(upload), columns=columns, name=name, gold_use=gold_use)
    start_import(upload=upload, plan=plan)
    return upload


def _import_state(upload: Upload) -> str:
    return Upload.objects.values_list("state", flat=True).get(pk=upload.pk)


def _specialists(project: Project, owner: User, say: Say) -> list[SpecialistVersion]:
    """One confirmed version of each shipped specialist: files stored, label map set, tried on a hundred texts."""
    found = [_added(project, name, owner) for name in demo.SPECIALIST_NAMES]
    _work_until(lambda: not any(_state(each) == SpecialistState.FETCHING for each in found))
    versions = [_mapped(project, each) for each in found]
    _work_until(lambda: all(_is_tried(version) for version in versions))
    for version in versions:
        if not version.may_vote:
            confirm_version(version=version, by=owner)
            version.refresh_from_db()
        say(_("Specialist %(name)s was tried and may vote.") % {"name": version.specialist.name})
    return versions


def _added(project: Project, name: str, owner: User) -> Specialist:
    found = project.specialists.filter(name=name, is_archived=False).first()
    folder = str(demo.specialist_folders()[name])
    return found or add_specialist(project=project, source=Source.FOLDER, location=folder, name=name, by=owner)


def _state(specialist: Specialist) -> str:
    return Specialist.objects.values_list("state", flat=True).get(pk=specialist.pk)


def _mapped(project: Project, specialist: Specialist) -> SpecialistVersion:
    """Its newest version, or a first one with the label map that the demo carries."""
    specialist.refresh_from_db()
    if specialist.state == SpecialistState.FAILED:
        raise ActionError(f"{specialist.name}: {specialist.error}")
    found = newest_version(specialist)
    if found is not None:
        return found
    ids = {each.name: each.pk for each in project.classes.all()}
    meant = demo.label_maps()[specialist.name]
    targets = [ids[meant[label]] for label in specialist.model_labels]
    return save_map(specialist=specialist, targets=targets, max_length=specialist.max_length, are_holes_confirmed=False)


def _is_tried(version: SpecialistVersion) -> bool:
    trial = newest_trial(version)
    return version.may_vote or (trial is not None and trial.is_done)


def _work_until(is_over: Callable[[], bool]) -> None:
    """Do the site's open work here, beside any worker that runs, until the step is over. Raises ActionError."""
    end = monotonic() + PATIENCE_S
    while not is_over():
        if monotonic() > end:
            raise ActionError(_("The demo's work does not come to an end. Ask: python manage.py doctor"))
        if not do_one(QUEUES, f"demo-{os.getpid()}"):
            sleep(0.1)
