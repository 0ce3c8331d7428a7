"""A project's home in words: its flow from data to export, and what happened lately."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.types import LabelSource
from labeling.jobs.models import Job, JobState
from labeling.overview.needs import link
from labeling.overview.queries import Standing
from labeling.projects.models import Project
from labeling.quality.wording import plus_minus
from labeling.runs.models import AnswerUse
from labeling.web.parts import FlowStep, StepState
from labeling.web.wording import word_number

AGAIN_STAGES = ("revote", "renew")


@dataclass(frozen=True, slots=True)
class Happening:
    """A job in a sentence."""

    text: str
    at: datetime
    kind: str
    state: str
    is_busy: bool
    href: str


def flow_of(project: Project, at: Standing, *, can_manage: bool) -> list[FlowStep]:
    """Data, votes, accepted, review, refinement, quality, export, with counts; links for those who may follow them."""

    def href(name: str, query: str = "") -> str:
        return link(name, project) + query if can_manage else ""

    # Rows of data sets without a run, such as verified ones that only teach, wait for no votes.
    is_voted = bool(at.runs) and at.voted >= sum(run.row_count for run in at.runs)
    pool = ngettext("%(n)d model", "%(n)d models", at.pool_size) % {"n": at.pool_size} if at.pool_size else ""
    sets = ngettext("%(n)d data set", "%(n)d data sets", at.datasets) % {"n": at.datasets}
    review = _("%(n)s decided") % {"n": word_number(at.decided)} if at.hard else ""
    if at.pace is not None:
        review = _("%(n)s by you today") % {"n": word_number(at.pace.today)}
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
        *_verified_step(at, href),
        FlowStep(_("Review"), word_number(at.left), review, link("review:screen", project), _review_state(at)),
        _learning_step(at, href("refinement:list")),
        _quality_step(at, href("quality:page")),
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


def _verified_step(at: Standing, href: Callable[[str, str], str]) -> list[FlowStep]:
    """Rows that a language model settled, and those that wait for it; nothing where no run asks one."""
    run = next((run for run in at.runs if run.has_verifier), None)
    if run is None or at.pace is not None:
        return []
    source = LabelSource.FUSED if run.answer_use == AnswerUse.FUSE else LabelSource.VERIFIER
    waiting = ngettext("%(n)s row waits", "%(n)s rows wait", at.asking) % {"n": word_number(at.asking)}
    hint = waiting if at.asking else _("by a language model")
    samples = href("overview:samples", f"?source={source.value}")
    return [FlowStep(_("Verified"), word_number(at.verified), hint, samples, "active" if at.asking else "done")]


def _review_state(at: Standing) -> StepState:
    if at.left:
        return "attention"
    return "done" if at.hard and not at.voting else "todo"


def _learning_step(at: Standing, href: str) -> FlowStep:
    """Refinement rounds; before the first one, how full the newest run's hard pool is."""
    run = next((run for run in at.runs if run.beta is not None and at.pace is None), None)
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


def _quality_step(at: Standing, href: str) -> FlowStep:
    """The accuracy of all labels of the newest run that was measured; before, how many texts wait to tell it."""
    if at.quality is not None and at.pace is None:
        hint = _("audit %(n)s") % {"n": word_number(at.quality.answered)}
        return FlowStep(_("Quality"), plus_minus(at.quality.overall), hint, href, "done")
    drawn = sum(at.drawn.values())
    hint = ngettext("%(n)s text drawn", "%(n)s texts drawn", drawn) % {"n": word_number(drawn)} if drawn else ""
    return FlowStep(_("Quality"), "–", hint, href, "active" if drawn else "todo")


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
        "assess": _("Measurement of run %(name)s"),
        "verify": _("Run %(name)s: a language model on %(total)s texts"),
        "pilot": _("Pilot: a language model on %(total)s texts"),
        "search": _("Search for models"),
        "script": _("Script %(name)s"),
        "voter": _("Script %(name)s becomes a voter"),
        "queue": _("The queue follows the project's people: %(total)s texts"),
    }
    text = texts.get(job.kind, job.kind) % {"name": name, "total": word_number(job.total)}
    page = {"run": "runs:detail", "verify": "runs:detail", "round": "refinement:detail"}.get(job.kind)
    href = link(page, project, number=int(name)) if page and name else ""
    href = f"{link('quality:page', project)}?run={name}" if job.kind == "assess" else href
    href = f"{link('overview:pilots', project)}?pilot={job.subject}" if job.kind == "pilot" else href
    kinds = {JobState.DONE: "good", JobState.FAILED: "bad", JobState.PAUSED: "attention", JobState.RUNNING: "info"}
    state = JobState(job.state)
    return Happening(
        text, job.finished_at or job.created_at, kinds.get(state, "quiet"), str(state.label), not job.is_over, href
    )
