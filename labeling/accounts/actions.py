"""Writes about people."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.accounts.queries import first_operator
from labeling.web.errors import ActionError

FIRST_OPERATOR = "admin"


def create_user(*, username: str, password: str | None = None, is_staff: bool = False) -> User:
    """A person; without a password they come in by a one-time link.

    Raises ActionError on a bad or taken name, and on a password that is too weak.
    """
    # As signing in reads it: letters of another width would pass for the plain ones.
    user = User(username=User.normalize_username(username.strip()), is_staff=is_staff, is_superuser=is_staff)
    _check_free(user.username)
    if password is not None:
        _check_password(password, user)
    user.set_password(password)  # None: one that no password opens
    try:
        user.full_clean(exclude=["password"])
        with transaction.atomic():
            user.save()
    except ValidationError as error:
        raise ActionError(" ".join(error.messages), field="username") from error
    except IntegrityError as error:
        raise ActionError(_taken(), field="username") from error
    return user


def ensure_operator() -> User:
    """The first operator; on a new installation one is made, without a password (there is no default one)."""
    return first_operator() or create_user(username=FIRST_OPERATOR, is_staff=True)


def set_password(*, user: User, password: str) -> None:
    """Give the person a password. Raises ActionError when it is too weak."""
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ActionError(" ".join(error.messages), field="password") from error


def _check_free(username: str) -> None:
    """Names that differ by case only would pass for one another."""
    if User.objects.filter(username__iexact=username).exists():
        raise ActionError(_taken(), field="username")


def _taken() -> str:
    return _("This user name is taken. Choose another.")
