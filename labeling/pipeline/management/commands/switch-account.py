# ruff: noqa: N999 (the name of a command is the name of its file)
"""`manage.py switch-account USER off`: somebody who shall not sign in any more, and for whom no queue shall wait."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.projects.actions import switch_account


class Command(BaseCommand):
    """Switches an account off or on, and lets the queues of its projects follow."""

    help = "Switch the account of USER off (or on again): it cannot sign in, and no text waits for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The user name, and which way."""
        parser.add_argument("user", metavar="USER", help="the user name")
        parser.add_argument("to", choices=("off", "on"))

    def handle(self, *_args: object, user: str, to: str, **_options: object) -> None:
        """Switch, and say how many projects follow."""
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(_("There is no user “%(name)s”.") % {"name": user})
        projects = switch_account(user=person, is_active=to == "on")
        self.stdout.write(f"{person.username} is switched {to}; projects that follow: {projects}")
