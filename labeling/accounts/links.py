"""One-time sign-in links: signed, expiring, dead after their first use."""

import struct

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from labeling.accounts.models import User


class _SigninTokens(PasswordResetTokenGenerator):
    """Django's token over user, password and last sign-in: signing in changes the last, so its use ends it."""

    key_salt = "labeling.accounts.signin"


tokens = _SigninTokens()


def signin_path(user: User) -> str:
    """The path of a link that signs `user` in once, within SIGNIN_LINK_AGE_S seconds."""
    name = urlsafe_base64_encode(struct.pack(">Q", user.pk))
    return reverse("accounts:signin-link", kwargs={"name": name, "token": tokens.make_token(user)})


def peek(name: str, token: str) -> User | None:
    """The user of a link that would work now; the link stays as it is."""
    user = User.objects.filter(pk=_user_id(name), is_active=True).first()
    return user if user and _is_good(user, token) else None


def redeem(name: str, token: str) -> User | None:
    """The user of a valid link, whose link is used up by this call; None when it is wrong, used or too old."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=_user_id(name), is_active=True).first()
        if user is None or not _is_good(user, token):
            return None
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
        return user


def _user_id(name: str) -> int:
    """The user's id in the link; 0, which nobody has, when it is no link of ours."""
    try:
        (pk,) = struct.unpack(">Q", urlsafe_base64_decode(name))
    except (ValueError, struct.error):
        return 0
    return int(pk) if pk < 2**63 else 0


def _is_good(user: User, token: str) -> bool:
    return bool(tokens.check_token(user, token)) and _age_s(token) <= settings.SIGNIN_LINK_AGE_S


def _age_s(token: str) -> float:
    """Seconds since the token was made, by the clock that wrote it (local time, in base 36)."""
    return tokens._num_seconds(tokens._now()) - int(token.split("-")[0], 36)
