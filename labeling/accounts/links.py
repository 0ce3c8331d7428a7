"""One-time sign-in links: signed, expiring, dead after their first use."""

import struct
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from labeling.accounts.models import User

EPOCH = datetime(2001, 1, 1, tzinfo=UTC)


class _SigninTokens(PasswordResetTokenGenerator):
    """Django's token over user, password and last sign-in: signing in changes the last, so its use ends it."""

    key_salt = "labeling.accounts.signin"


tokens = _SigninTokens()


def signin_path(user: User) -> str:
    """The path of a link that signs `user` in once, within SIGNIN_LINK_AGE_S seconds."""
    name = urlsafe_base64_encode(struct.pack(">Q", user.pk))
    return reverse("accounts:signin-link", kwargs={"name": name, "token": tokens.make_token(user)})


def redeem(name: str, token: str) -> User | None:
    """The user of a valid link, whose link is used up by this call; None when it is wrong, used or too old."""
    try:
        (pk,) = struct.unpack(">Q", urlsafe_base64_decode(name))
    except (ValueError, struct.error):
        return None
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=pk, is_active=True).first()
        if user is None or not tokens.check_token(user, token) or _age_s(token) > settings.SIGNIN_LINK_AGE_S:
            return None
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
        return user


def _age_s(token: str) -> float:
    """Seconds since the token was made (Django writes them in base 36 from 2001 on)."""
    made = int(token.split("-")[0], 36)
    return (datetime.now(tz=UTC) - EPOCH).total_seconds() - made
