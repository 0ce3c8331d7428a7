"""Pilots over a fake language model, and rows for them."""

from labeling.datasets.models import Sample
from labeling.jobs.models import Job
from labeling.labels.models import Consensus
from labeling.runs.actions import start_run
from labeling.runs.models import AskStrategy, LlmPilot, PilotAnswer, PilotRow
from labeling.runs.pilots.actions import Wanted, record_figures, start_pilot
from labeling.runs.pilots.figures import ALWAYS, Counted, Measured, PilotFigures
from labeling.runs.policies import Policy
from tests.labeling.asking import DOLLAR
from tests.labeling.pool import work_off


def pilot(project, dataset, connections, *, run=None, rows=20, cap_nano=DOLLAR, **how):
    """A pilot that waits for a worker."""
    given = {"strategy": AskStrategy.ZERO_SHOT} | how
    wanted = Wanted(dataset, run, connections, rows, cap_nano, **given)
    return start_pilot(project=project, wanted=wanted, by=None)


def reviewed_by_people(project, dataset, versions):
    """A run of the pool on the data set whose hard rows wait for people."""
    run = start_run(
        project=project, dataset=dataset, versions=versions, policy=Policy(min_agree=len(versions), seed=3), by=None
    )
    work_off()
    run.refresh_from_db()
    return run


def give_gold(dataset, name_of):
    """A gold column: `name_of` gives a sample's class."""
    for sample in dataset.samples.all():
        Sample.objects.filter(pk=sample.pk).update(gold=name_of(sample.text))


def measured(run, connections, *, rows=60, sure=0.9, **changed):
    """A pilot on the run that is over: right on 3 of 4 known rows, fused on 9 of 10, the pool on half."""
    calls = [Measured(one.pk, rows, 200.0, 50.0, 10.0, 0.5) for one in connections]
    given = {
        "rows": rows, "abstained": rows // 10, "right": Counted(rows * 3 // 4, rows),
        "fused": Counted(rows * 9 // 10, rows), "pool": Counted(rows // 2, rows), "agreed": Counted(rows // 2, rows),
        "sureness": (*[ALWAYS] * (rows // 10), *[sure] * (rows - rows // 10)),
        "fused_sureness": (*[0.5] * (rows // 2), *[sure] * (rows - rows // 2)),
        "measured": tuple(calls), "cost_nano": 10_200_000,
    }  # fmt: skip
    fields = {"dataset": run.dataset, "run": run, "wanted": rows, "cap_nano": DOLLAR}
    found = LlmPilot.objects.create(project=run.project, **fields)
    found.connections.set(connections)
    Job.objects.create(project=run.project, kind="pilot", subject=found.pk, state="done", is_dirty=False)
    record_figures(pilot_id=found.pk, figures=PilotFigures(**given | changed))
    return found


def with_rows(found, rows=3):
    """The pilot with some of its rows, on which the model was wrong, named nothing, or nothing is known."""
    classes = list(found.project.classes.all())
    hard = Consensus.objects.filter(run=found.run, is_current=True)[:rows]
    for number, one in enumerate(hard):
        known = classes[0] if number < 2 else None
        row = PilotRow.objects.create(pilot=found, sample=one.sample, pool_class=one.label_class, known_class=known)
        for connection in found.connections.all():
            label_class = None if number == 1 else classes[1]
            PilotAnswer.objects.create(row=row, connection=connection, label_class=label_class, outcome="answered")
    return found
