# ruff: noqa: N999 (the name of a command is the name of its file)
"""`manage.py signin-link USER`: a new one-time link for somebody who lost theirs."""

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from labeling.accounts.actions import create_user
from labeling.accounts.links import signin_path
from labeling.accounts.models import User
from labeling.pipeline.address import running_address
from labeling.web.errors import ActionError


class Command(BaseCommand):
    """Prints a link that signs a person in once."""

    help = "Print a link that signs USER in once. It is as good as a password: hand it to nobody else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The user name, and whether to make the account."""
        parser.add_argument("user", metavar="USER", help="the user name")
        parser.add_argument("--create", action="store_true", help="make the account when there is none")
        parser.add_argument("--operator", action="store_true", help="with --create: may create projects, sees /doctor")
        parser.add_argument("--address", default="", metavar="URL", help="the site's address, if `up` does not run")

    def handle(self, *_args: object, user: str, create: bool, operator: bool, address: str, **_options: object) -> None:
        """Print the link."""
        try:
            person = _person(user, is_new=create, is_operator=operator)
        except ActionError as error:
            raise CommandError(error.message) from error
        address = address or running_address(Path(settings.DATA)) or "http://127.0.0.1:8000"
        self.stdout.write(f"{address.rstrip('/')}{signin_path(person)}")


def _person(username: str, *, is_new: bool, is_operator: bool) -> User:
    """The account. Raises ActionError when there is none (or one already, where it is to be made) or it is off."""
    if is_new:
        return create_user(username=username, is_staff=is_operator)
    user = User.objects.filter(username=username).first()
    if user is None:
        raise ActionError(_("There is no user “%(name)s”. --create makes one.") % {"name": username})
    if not user.is_active:
        raise ActionError(_("The account of “%(name)s” is switched off.") % {"name": username})
    return user
