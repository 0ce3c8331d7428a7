"""`manage.py doctor`: what is missing, and the command that mends it."""

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.overview.checks import Check, doctor_checks

MARKS = {"good": "ok", "attention": "look", "bad": "BAD"}


class Command(BaseCommand):
    """Prints the same checks as the page /doctor."""

    help = "Check database, workers, broker, folders and keys. Exit code 1 when anything is broken."
    requires_system_checks = ()

    def handle(self, *_args: object, **_options: object) -> None:
        """One line a check; a broken one ends with exit code 1."""
        checks = doctor_checks()
        width = max(len(check.name) for check in checks)
        for check in checks:
            self.stdout.write(self._line(check, width))
        bad = sum(check.state == "bad" for check in checks)
        if bad:
            raise CommandError(
                ngettext("%(count)d thing is broken.", "%(count)d things are broken.", bad) % {"count": bad}
            )
        self.stdout.write(_("Nothing is broken."))

    def _line(self, check: Check, width: int) -> str:
        style = {"good": self.style.SUCCESS, "attention": self.style.WARNING, "bad": self.style.ERROR}[check.state]
        mend = f"\n      {check.command}" if check.command and check.state != "good" else ""
        return f"{style(MARKS[check.state].rjust(4))}  {check.name.ljust(width)}  {check.text}{mend}"
