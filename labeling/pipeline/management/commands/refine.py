"""`manage.py refine SLUG`: a refinement round as "train now" starts it."""

from argparse import ArgumentParser
from threading import Event

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.jobs.queries import job_of, progress_of
from labeling.projects.models import Project
from labeling.refinement.actions import start_round
from labeling.refinement.models import ChallengerState, RefinementRound, RoundState, Trigger
from labeling.refinement.queries import challengers_of
from labeling.runs.models import ACTIVE_STATES, Run
from labeling.runs.queries import run_numbered
from labeling.web.errors import ActionError

LOOK_EVERY_S = 1.0


class Command(BaseCommand):
    """Starts a round with the decided hard rows of a run; --wait follows it to its end."""

    help = "Let a run's specialists learn from what was decided since the last round. Exit code 1 when it fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The project, the run, and whether to wait."""
        parser.add_argument("slug", metavar="SLUG", help="the project, as in its address: /p/SLUG/")
        parser.add_argument("--run", type=int, metavar="N", help="the run's number, where several are active")
        parser.add_argument("--wait", action="store_true", help="show the progress until the round has ended")

    def handle(self, *_args: object, slug: str, run: int | None, wait: bool, **_options: object) -> None:
        """Start the round; with --wait tell its end."""
        try:
            round_ = start_round(run=_find_run(slug, run), trigger=Trigger.COMMAND, by=None)
        except ActionError as error:
            raise CommandError(error.message) from error
        rows = round_.pool_rows + round_.random_rows + round_.replay_rows
        words = {"number": round_.number, "rows": rows, "count": round_.challengers.count()}
        self.stdout.write(_("Round %(number)d: %(count)d specialists learn from %(rows)d texts.") % words)
        if wait:
            self._follow(round_)

    def _follow(self, round_: RefinementRound) -> None:
        shown = ""
        while True:
            round_.refresh_from_db()
            line = _progress_line(round_)
            if line != shown:
                self.stdout.write(line)
                self.stdout.flush()
            shown = line
            if not round_.is_at_work or round_.state == RoundState.FAILED:
                break
            Event().wait(LOOK_EVERY_S)
        if round_.state in {RoundState.FAILED, RoundState.CANCELLED}:
            raise CommandError(round_.error or _("The round was given up."))
        self._tell_end(round_)

    def _tell_end(self, round_: RefinementRound) -> None:
        challengers = challengers_of(round_)
        for one in challengers:
            self.stdout.write(f"  {one.specialist}: {one.get_state_display()}")
        promoted = sum(one.state == ChallengerState.PROMOTED for one in challengers)
        text = ngettext("%(n)d specialist was promoted.", "%(n)d specialists were promoted.", promoted)
        self.stdout.write(text % {"n": promoted})
        if round_.state == RoundState.WAITING:
            self.stdout.write(_("There are too few gate rows for a verdict: a manager decides on the round's page."))


def _find_run(slug: str, number: int | None) -> Run:
    """The run to learn for. Raises CommandError where it is not clear which."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise CommandError(_("There is no project “%(slug)s”.") % {"slug": slug})
    if number is not None:
        found = run_numbered(project, number)
        if found is None:
            raise CommandError(_("There is no run %(number)d in this project.") % {"number": number})
        return found
    active = list(Run.objects.filter(project=project, state__in=ACTIVE_STATES).order_by("number"))
    if not active:
        raise CommandError(_("No run of this project is active."))
    if len(active) > 1:
        numbers = ", ".join(str(run.number) for run in active)
        raise CommandError(_("Several runs are active (%(numbers)s): say which with --run.") % {"numbers": numbers})
    return active[0]


def _progress_line(round_: RefinementRound) -> str:
    job = job_of("round", round_.pk)
    progress = progress_of(job) if job else None
    if progress is None or not round_.is_at_work or round_.state == RoundState.FAILED:
        return str(round_.get_state_display())
    if progress.is_waiting:
        return _("No worker is alive. Start the site with: python manage.py up")
    return f"{round_.get_state_display()} {100 * progress.share:.0f}%"
