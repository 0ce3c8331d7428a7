"""Transformers for scripts to be about, brought in by the site's own actions, and rows as a try leaves them."""

import re

from labeling.llm.secrets import seal
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import GeneratedScript, ScriptKind, ScriptState, Source, SpecialistState
from labeling.specialists.queries import newest_trial, newest_version
from labeling.specialists.scripting.actions import Writer, accept_script, ask_voter, request_script
from tests.labeling.llm.calling import make_connection
from tests.labeling.llm.serving import KEY, serving
from tests.labeling.pool import own_targets, work_off

COMPARISON = {
    "rows": 100,
    "problem": "",
    "log": "Loading",
    "seconds": 3.2,
    "agreed": 99,
    "largest": 0.5,
    "lesson": None,
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


def stats_of(page):
    """(label, figure) of what a page shows in large."""
    return re.findall(r'stat-label">(.*?)</span><span class="stat-value">(.*?)</span>', page.content.decode())


def do(script):
    work_off()
    script.refresh_from_db()
    return script


def let_vote(script):
    """The confirmed version of the specialist that an accepted script becomes."""
    accept_script(script=script, by=None)
    script.refresh_from_db()
    ask_voter(script=script)
    work_off()
    script.voter.refresh_from_db()
    mine = newest_version(script.voter)
    assert (script.voter.state, newest_trial(mine).error) == (SpecialistState.READY, "")
    confirm_version(version=mine, by=None)
    mine.refresh_from_db()
    assert mine.may_vote
    return mine


def ask_server(settings, version, kind=ScriptKind.DEPLOY, **script):
    """What becomes of a script that a fake server writes."""
    with serving(settings, **script) as (url, server):
        made = ask_for(version, kind, Writer(connect(version, url, server), 10**9))
        return do(made), server


def connect(version, url, server):
    connection = make_connection(version.specialist.project, base_url=url, model=server.model)
    type(connection).objects.filter(pk=connection.pk).update(encrypted_key=seal(KEY))
    connection.refresh_from_db()
    return connection
