"""Audits and assessments in any state, made by hand: what their pages show depends on rows alone."""

from dataclasses import replace
from uuid import uuid4

from labeling.datasets.engine import frame_threshold
from labeling.jobs.models import Job
from labeling.jobs.queries import job_of
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ItemState, ReviewItem
from labeling.quality.actions import KIND, begin_measuring, draw_audit
from labeling.quality.figures import (
    AgreementFigure,
    CalibrationBin,
    Confusion,
    Figures,
    Notice,
    RaceRow,
    Share,
    to_json,
)
from labeling.quality.models import Assessment, Certificate
from labeling.runs.queries import pool_of

RACE = (
    RaceRow("stacker", "", Share(0.884, 0.808, 0.932, 104), 0.348, is_winner=True, is_in_use=False),
    RaceRow("naive_bayes", "", Share(0.865, 0.786, 0.918, 104), 0.371, is_winner=False, is_in_use=False),
    RaceRow("average", "", Share(0.846, 0.765, 0.903, 104), 0.402, is_winner=False, is_in_use=True),
    RaceRow("best_single", "model-1", Share(0.837, 0.754, 0.895, 104), 0.467, is_winner=False, is_in_use=False),
    RaceRow("majority", "", Share(0.817, 0.732, 0.88, 104), 0.611, is_winner=False, is_in_use=False),
)
BINS = (
    CalibrationBin(0.4, 0.5, 12, 0.46, 0.5),
    CalibrationBin(0.5, 0.6, 25, 0.55, 0.52),
    CalibrationBin(0.6, 0.7, 31, 0.66, 0.613),
    CalibrationBin(0.7, 0.8, 40, 0.76, 0.7),
    CalibrationBin(0.8, 0.9, 48, 0.86, 0.813),
    CalibrationBin(0.9, 1.0, 52, 0.97, 0.942),
)
AGREEMENT = (
    AgreementFigure("cohen", 0.71, 0.58, 0.82, 64, 2, ""),
    AgreementFigure("krippendorff", 0.69, 0.55, 0.8, 64, 3, ""),
    AgreementFigure("fleiss", None, None, None, 0, 3, "no_overlap"),
)
NOTHING = Share(None, 0.0, 1.0, 0)
COUNTS = (((82, 9, 3, 0), (14, 61, 11, 2), (6, 12, 96, 4)), ((88, 4, 2, 0), (22, 49, 15, 2), (9, 8, 99, 2)))


def make_figures(run, **changed):
    """All that a page can show, with the run's own specialists."""
    members = pool_of(run)
    figures = Figures(
        class_ids=tuple(run.project.classes.values_list("id", flat=True))[: len(COUNTS[0])],
        frame_texts=1_200,
        drawn=312,
        answered=300,
        fit_rows=104,
        certify_rows=196,
        accepted=Share(0.891, 0.843, 0.926, 221),
        reviewed=Share(0.934, 0.85, 0.972, 64),
        overall=Share(0.902, 0.863, 0.931, 300),
        race=RACE,
        why_winner="log_loss",
        confusions=tuple(
            Confusion(member.version_id, str(member.version), COUNTS[place % 2], _right(COUNTS[place % 2]), place == 2)
            for place, member in enumerate(members)
        ),
        calibration=BINS,
        calibration_error=0.043,
        agreement=AGREEMENT,
        notices=(Notice("specialist_at_chance", {"name": "model-2", "rows": 300, "share": 0.36, "other": 0.34}),),
    )
    return replace(figures, **changed)


def _right(counts):
    rows = sum(map(sum, counts))
    share = sum(row[place] for place, row in enumerate(counts)) / rows
    return Share(share, share - 0.05, share + 0.04, rows)


def make_assessment(run, *, figures=None, target_error=None, **given):
    """The run's next assessment, with certificates for the targets of every assessment and the run's own."""
    figures = figures or make_figures(run)
    winner = next((row.name for row in figures.race if row.is_winner), "")
    values = {"generation": run.generation, "answered": figures.answered, "winner": winner}
    values |= {"aggregation": {"name": winner} if winner else None} | given
    number = Assessment.objects.filter(run=run).count() + 1
    made = Assessment.objects.create(run=run, number=number, figures=to_json(figures), **values)
    make_certificate(made, 10, threshold=0.05, accepted_share=0.93, error_bound=0.094)
    make_certificate(made, 5, threshold=0.61, accepted_share=0.58, error_bound=0.047)
    make_certificate(made, 3, rows_needed=410)
    make_certificate(made, 2, rows_needed=2_400)
    make_certificate(made, 1)
    if target_error is not None:
        make_certificate(made, target_error, rows_needed=36)
    return made


def make_certificate(assessment, target_error, **given):
    """A certificate; without a threshold the target is not reached, without `rows_needed` either it never will be."""
    return Certificate.objects.create(assessment=assessment, target_error=target_error, rows_used=196, **given)


def frame(dataset):
    """Keep texts apart for audits, as an import does."""
    dataset.frame_until = frame_threshold(dataset.pk)
    dataset.save()


def make_audit(dataset, *, drawn=10, answered=0, by=None):
    """An audit drawn by the site's own action, from a frame that is made where there is none; a person answers some."""
    frame(dataset)
    audit = draw_audit(dataset=dataset, count=drawn, by=by)
    class_id = dataset.project.classes.first().pk
    hashes = list(audit.rows.order_by("text_hash").values_list("text_hash", flat=True)[:answered])
    for item in ReviewItem.objects.filter(dataset=dataset, text_hash__in=hashes, state=ItemState.OPEN):
        decide(
            item_id=item.pk,
            project=dataset.project,
            user_id=by.pk,
            class_id=class_id,
            client_id=uuid4(),
            elapsed_ms=6_000,
        )
    return audit


def make_measuring(run, *, done=120, total=300):
    """The job that measures the run, at work."""
    job = job_of(KIND, run.pk) or Job.objects.create(project=run.project, kind=KIND, subject=run.pk)
    begin_measuring(job, answered=total)
    job.progress, job.total, job.is_dirty = done, total, False
    job.save()
    return job
