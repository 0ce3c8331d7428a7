"""What of a project waits for a person: sentences, each with the one button that goes on."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.jobs.models import Job, JobState
from labeling.overview.queries import Standing
from labeling.projects.models import Project
from labeling.quality.page_queries import RunQuality
from labeling.quality.wording import way_name
from labeling.refinement.models import RefinementRound, RoundState
from labeling.review.desk.queries import escalated
from labeling.runs.actions import KIND, VERIFY_KIND
from labeling.runs.models import Aggregator, PolicyName, Run, RunState
from labeling.web.wording import word_duration, word_number

RUN_KINDS = (KIND, VERIFY_KIND)
VOTED_STATES = (RunState.REVIEWING, RunState.DONE)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: a sentence, and the one button that goes on."""

    text: str
    verb: str
    href: str
    icon: str = ""


def link(name: str, project: Project, **kwargs: int) -> str:
    """The address of a project page, empty while its room is not built."""
    try:
        return reverse(name, kwargs={"slug": project.slug, **kwargs})
    except NoReverseMatch:
        return ""


def needs_of(
    project: Project, at: Standing, *, can_manage: bool, seconds: float, can_review: bool = False
) -> list[Need]:
    """What waits for this person, the most urgent first. `seconds` is what one decision takes them."""
    needs = _troubles(project, at) + _set_up(project, at) if can_manage else []
    needs += _desk_need(project) if can_review else []
    if at.left:
        text = ngettext(
            "%(rows)s row waits for a person: %(time)s of work.",
            "%(rows)s rows wait for a person: %(time)s of work.",
            at.left,
        )
        words = {"rows": word_number(at.left), "time": word_duration(at.left * seconds)}
        needs.append(Need(text % words, _("Review"), link("review:screen", project), "check"))
    if can_manage:
        needs += _quality_needs(project, at)
    if can_manage and at.runs and not at.left + at.asking and not at.voting and at.hard + at.accepted:
        needs.append(_export_need(project, at))
    return [need for need in needs if need.href]


def _desk_need(project: Project) -> list[Need]:
    """Texts that people handed over, or on which they disagree."""
    count = escalated(project).count()
    text = ngettext("%(n)s text waits on the reviewers' desk.", "%(n)s texts wait on the reviewers' desk.", count)
    found = Need(text % {"n": word_number(count)}, _("Adjudicate"), link("desk:screen", project), "votes")
    return [found] if count else []


def _troubles(project: Project, at: Standing) -> list[Need]:
    needs = []
    for job, count in at.dead:
        text = ngettext(
            "%(n)d part of a job failed and waits for a retry.",
            "%(n)d parts of a job failed and wait for a retry.",
            count,
        )
        run = next((run for run in at.runs if job.kind in RUN_KINDS and run.pk == job.subject), None)
        href = link("runs:detail", project, number=run.number) if run else link("datasets:list", project)
        href = link("quality:page", project) if job.kind == "assess" else href
        href = link("overview:pilots", project) if job.kind == "pilot" else href
        if job.kind != "round":
            needs.append(Need(text % {"n": count}, _("Look"), href, "alert"))
    return needs + _stopped(project, at) + [_round_need(project, one) for one in at.stuck_rounds]


def _stopped(project: Project, at: Standing) -> list[Need]:
    """Runs whose language model is asked no more until a person acts: the cap is reached, or a connection broke."""
    asking = {run.pk: run for run in at.runs if run.has_verifier and run.is_active and run.state != RunState.PAUSED}
    if not asking:
        return []
    jobs = Job.objects.filter(kind=VERIFY_KIND, subject__in=asking, state=JobState.PAUSED).order_by("subject")
    text = _("The verification of run %(n)d has stopped and waits for you.")
    return [
        Need(text % {"n": run.number}, _("Look"), link("runs:detail", project, number=run.number), "alert")
        for run in (asking[job.subject] for job in jobs)
    ]


def _round_need(project: Project, one: RefinementRound) -> Need:
    text = _("Round %(n)d failed: try it again or give it up.")
    if one.state == RoundState.WAITING:
        text = _(
            "Round %(n)d has too few held-out rows to decide by itself: promote its versions or keep the old ones."
        )
    return Need(text % {"n": one.number}, _("Look"), link("refinement:detail", project, number=one.number), "alert")


def _set_up(project: Project, at: Standing) -> list[Need]:
    """The next step of a project that has not run yet."""
    needs = [
        Need(
            _("The file %(name)s waits for you to choose its columns.") % {"name": upload.filename},
            _("Choose columns"),
            link("datasets:upload", project, upload_id=upload.pk),
            "data",
        )
        for upload in at.previews
    ]
    if at.unmapped:
        text = ngettext("%(n)d model waits for its label map.", "%(n)d models wait for their label map.", at.unmapped)
        needs.append(Need(text % {"n": at.unmapped}, _("Map labels"), link("specialists:list", project), "model"))
    if not at.rows and not at.importing and not at.previews:
        needs.append(Need(_("There is no data yet."), _("Upload data"), link("datasets:list", project), "data"))
    elif at.rows and not at.is_model_ready and not at.unmapped and not at.seeds:
        needs.append(Need(_("No model may vote yet."), _("Add models"), link("specialists:list", project), "model"))
    elif at.rows and at.is_model_ready and not at.runs:
        needs.append(Need(_("Data and models are ready."), _("Plan a run"), link("runs:new", project), "play"))
    paused = next((run for run in at.runs if run.state == RunState.PAUSED), None)
    if paused:
        text = _("Run %(number)d is paused.") % {"number": paused.number}
        needs.append(Need(text, _("Open"), link("runs:detail", project, number=paused.number), "play"))
    return needs


def _quality_needs(project: Project, at: Standing) -> list[Need]:
    """Runs whose labels nobody has measured, and races whose winner is not in use."""
    needs = []
    for run in at.runs:
        found = at.qualities.get(run.pk)
        href = f"{link('quality:page', project)}?run={run.number}"
        words = {"number": run.number, "name": way_name(found.unused_winner) if found else ""}
        if found and _may_use_winner(run, found):
            text = _("The audit of run %(number)d found a better way to combine the votes: %(name)s.") % words
            needs.append(Need(text, _("Look"), href, "votes"))
        elif not at.drawn.get(run.dataset_id) and run.dataset.frame_until and run.state in VOTED_STATES:
            text = _("Nobody has measured how right the labels of run %(number)d are.") % words
            needs.append(Need(text, _("Draw an audit"), href, "votes"))
    return needs


def _may_use_winner(run: Run, found: RunQuality) -> bool:
    """Whether a manager may want to use the winner: it is not in use, and the run does not follow its race itself."""
    is_by_hand = run.aggregator != Aggregator.RACE and run.policy != PolicyName.PAPER and run.is_active
    return bool(found.unused_winner) and is_by_hand and found.generation == run.generation


def _export_need(project: Project, at: Standing) -> Need:
    text = _("%(n)s rows have their label.") % {"n": word_number(at.accepted + at.decided + at.verified)}
    return Need(text, _("Export"), link("exports:list", project), "download")
