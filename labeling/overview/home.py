"""A project's home in words: its flow from data to export, what needs someone now, what happened lately."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.jobs.models import Job, JobState
from labeling.overview.queries import Standing
from labeling.projects.models import Project
from labeling.refinement.models import RefinementRound, RoundState
from labeling.runs.models import RunState
from labeling.web.parts import FlowStep, StepState
from labeling.web.wording import word_duration, word_number

AGAIN_STAGES = ("revote", "renew")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: a sentence, and the one button that goes on."""

    text: str
    verb: str
    href: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A job in a sentence."""

    text: str
    at: datetime
    kind: str
    state: str
    is_busy: bool
    href: str


def link(name: str, project: Project, **kwargs: int) -> str:
    """The address of a project page, empty while its room is not built."""
    try:
        return reverse(name, kwargs={"slug": project.slug, **kwargs})
    except NoReverseMatch:
        return ""


def flow_of(project: Project, at: Standing, *, can_manage: bool) -> list[FlowStep]:
    """Data, votes, accepted, review, refinement, export, with counts; links for those who may follow them."""

    def href(name: str, query: str = "") -> str:
        return link(name, project) + query if can_manage else ""

    # Rows of data sets without a run, such as verified ones that only teach, wait for no votes.
    is_voted = bool(at.runs) and at.voted >= sum(run.row_count for run in at.runs)
    pool = ngettext("%(n)d model", "%(n)d models", at.pool_size) % {"n": at.pool_size} if at.pool_size else ""
    sets = ngettext("%(n)d data set", "%(n)d data sets", at.datasets) % {"n": at.datasets}
    review = _("%(n)s decided") % {"n": word_number(at.decided)} if at.hard else ""
    exports = ngettext("%(n)d file", "%(n)d files", at.exports) % {"n": at.exports} if at.exports else ""
    return [
        FlowStep(_("Data"), word_number(at.rows), sets, href("datasets:list"), _state(at.rows, is_done=bool(at.rows))),
        FlowStep(_("Votes"), word_number(at.voted), pool, href("runs:list"), _state(at.rows, is_done=is_voted)),
        FlowStep(
            _("Accepted"),
            word_number(at.accepted),
            _("specialists agree") if at.accepted else "",
            href("overview:samples", "?state=accepted"),
            _state(at.voted, is_done=is_voted),
        ),
        FlowStep(_("Review"), word_number(at.left), review, link("review:screen", project), _review_state(at)),
        _learning_step(at, href("refinement:list")),
        FlowStep(
            _("Export"),
            exports or "–",
            "",
            href("exports:list"),
            _state(at.exports or (is_voted and not at.left), is_done=bool(at.exports)),
        ),
    ]


def _state(has_begun: object, *, is_done: bool) -> StepState:
    if is_done:
        return "done"
    return "active" if has_begun else "todo"


def _review_state(at: Standing) -> StepState:
    if at.left:
        return "attention"
    return "done" if at.hard and not at.voting else "todo"


def _learning_step(at: Standing, href: str) -> FlowStep:
    """Refinement rounds; before the first one, how full the newest run's hard pool is."""
    run = next((run for run in at.runs if run.beta is not None), None)
    words = {"n": word_number(run.pool_size), "beta": word_number(run.beta)} if run and run.beta else {}
    pool = _("%(n)s of %(beta)s rows") % words if words else ""
    state: StepState = "done" if at.rounds else "todo"
    if at.stuck_rounds:
        state = "attention"
    elif at.round_at_work:
        state = "active"
    value = _("round %(n)d") % {"n": at.rounds[0].number} if at.rounds else "–"
    return FlowStep(
        _("Refinement"), value, str(at.rounds[0].get_state_display()) if at.round_at_work else pool, href, state
    )


def needs_of(project: Project, at: Standing, *, can_manage: bool, seconds: float) -> list[Need]:
    """What waits for this person, the most urgent first. `seconds` is what one decision takes them."""
    needs = _troubles(project, at) + _set_up(project, at) if can_manage else []
    if at.left:
        text = ngettext(
            "%(rows)s row waits for a person: %(time)s of work.",
            "%(rows)s rows wait for a person: %(time)s of work.",
            at.left,
        )
        words = {"rows": word_number(at.left), "time": word_duration(at.left * seconds)}
        needs.append(Need(text % words, _("Review"), link("review:screen", project), "check"))
    if can_manage and at.runs and not at.left and not at.voting and at.hard + at.accepted:
        needs.append(_export_need(project, at))
    return [need for need in needs if need.href]


def _troubles(project: Project, at: Standing) -> list[Need]:
    needs = []
    for job, count in at.dead:
        text = ngettext(
            "%(n)d part of a job failed and waits for a retry.",
            "%(n)d parts of a job failed and wait for a retry.",
            count,
        )
        run = next((run for run in at.runs if job.kind == "run" and run.pk == job.subject), None)
        href = link("runs:detail", project, number=run.number) if run else link("datasets:list", project)
        if job.kind != "round":
            needs.append(Need(text % {"n": count}, _("Look"), href, "alert"))
    return needs + [_round_need(project, one) for one in at.stuck_rounds]


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


def _export_need(project: Project, at: Standing) -> Need:
    text = _("%(n)s rows have their label.") % {"n": word_number(at.accepted + at.decided)}
    return Need(text, _("Export"), link("exports:list", project), "download")


def happenings_of(project: Project, jobs: list[Job], names: dict[tuple[str, int], str]) -> list[Happening]:
    """The jobs as sentences, newest first."""
    return [_happening(project, job, names.get((job.kind, job.subject), "")) for job in jobs]


def _happening(project: Project, job: Job, name: str) -> Happening:
    is_again = job.stage in AGAIN_STAGES
    texts = {
        "run": _("Run %(name)s: new votes on %(total)s rows")
        if is_again
        else _("Run %(name)s: votes on %(total)s rows"),
        "round": _("Refinement round %(name)s"),
        "import": _("Import of %(name)s"),
        "export": _("Export %(name)s"),
        "fetch": _("Files of %(name)s"),
        "trial": _("Trial of %(name)s"),
        "cold": _("Training of the first specialists"),
    }
    text = texts.get(job.kind, job.kind) % {"name": name, "total": word_number(job.total)}
    page = {"run": "runs:detail", "round": "refinement:detail"}.get(job.kind)
    href = link(page, project, number=int(name)) if page and name else ""
    kinds = {JobState.DONE: "good", JobState.FAILED: "bad", JobState.PAUSED: "attention", JobState.RUNNING: "info"}
    state = JobState(job.state)
    return Happening(
        text, job.finished_at or job.created_at, kinds.get(state, "quiet"), str(state.label), not job.is_over, href
    )
