"""Transformers for scripts to be about, brought in by the site's own actions, and rows as a try leaves them."""

from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import GeneratedScript, ScriptKind, ScriptState, Source
from labeling.specialists.queries import newest_version
from labeling.specialists.scripting.actions import Writer, request_script
from tests.labeling.pool import own_targets, work_off

COMPARISON = {
    "rows": 100,
    "problem": "",
    "log": "Loading",
    "seconds": 3.2,
    "agreed": 99,
    "largest": 0.5,
    "before": None,
    "passes": True,
}


def add_transformer(project, folder, name="tiny"):
    """A confirmed version of a real, tiny classifier."""
    specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder), name=name)
    work_off()
    specialist.refresh_from_db()
    save_map(specialist=specialist, targets=own_targets(project), max_length=32, are_holes_confirmed=False)
    work_off()
    confirm_version(version=newest_version(specialist), by=None)
    return newest_version(specialist)


def ask_for(version, kind=ScriptKind.ANNOTATE, writer=None):
    """A script that is still to be written."""
    project = version.specialist.project
    return request_script(project=project, version=version, kind=kind, writer=writer or Writer())


def make_script(version, state=ScriptState.TRIED, kind=ScriptKind.ANNOTATE, **fields):
    """A script as it stands after its job, without the job."""
    project = version.specialist.project
    differences = [
        {"text": "<b>late</b>", "engine": version.class_ids[0], "script": None, "engine_prob": 0.5, "script_prob": 0.0}
    ]
    values = {"code": "def annotate():\n    return 1\n", "comparison": COMPARISON | {"differences": differences}}
    number = GeneratedScript.objects.filter(project=project).count() + 1
    return GeneratedScript.objects.create(
        project=project, number=number, version=version, kind=kind, state=state, **(values | fields)
    )
