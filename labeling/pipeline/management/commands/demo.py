"""`manage.py demo`: the demo project, whole; its run waits for the workers that `manage.py up` starts."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.accounts.actions import ensure_operator
from labeling.pipeline.address import running_address
from labeling.pipeline.demo import build_demo
from labeling.pipeline.practice import build_practice_demo
from labeling.pipeline.prepare import first_signin_path, migrate
from labeling.runs.models import Run
from labeling.web.errors import ActionError


class Command(BaseCommand):
    """Builds the demo project; a second start finds it as it is."""

    help = "Build the demo project: texts, three small models, a run. Then start the site with: manage.py up"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--practice-port`."""
        help_text = "build the project with a practice language model, which `up --practice-port` serves at this port"
        parser.add_argument("--practice-port", type=int, metavar="PORT", help=help_text)

    def handle(self, *_args: object, practice_port: int | None, **_options: object) -> None:
        """Build what is missing and say where it is."""
        migrate()
        owner = ensure_operator()
        try:
            if practice_port is None:
                run = build_demo(owner=owner, say=self.stdout.write)
            else:
                run = build_practice_demo(owner=owner, say=self.stdout.write, port=practice_port)
        except ActionError as error:
            raise CommandError(error.message) from error
        self._say_where(run)

    def _say_where(self, run: Run) -> None:
        """The address and a link where the site runs; else how to start it (which prints them)."""
        address = running_address(Path(settings.DATA))
        if address is None:
            self.stdout.write(_("The demo is ready. Start the site with: python manage.py up"))
            return
        page = reverse("runs:detail", kwargs={"slug": run.project.slug, "number": run.number})
        self.stdout.write(_("The demo is ready: %(address)s") % {"address": f"{address}{page}"})
        if path := first_signin_path():
            self.stdout.write(_("Sign in once with this link:"))
            self.stdout.write(f"  {address}{path}")
