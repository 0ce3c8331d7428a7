"""Reads about people."""

from labeling.accounts.models import User


def first_operator() -> User | None:
    """The oldest active operator of the installation."""
    return User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()


def has_anyone_signed_in() -> bool:
    """Whether anybody has ever signed in; before that the start prints a link."""
    return User.objects.filter(last_login__isnull=False).exists()
