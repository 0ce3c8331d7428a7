"""Signing in and out, the one-time link, the own account."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling.accounts.actions import set_password
from labeling.accounts.forms import PasswordForm
from labeling.accounts.links import redeem
from labeling.accounts.models import User
from labeling.web.errors import ActionError


class SignIn(LoginView):
    """Name and password. There is no open registration: people come in by a link."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Ends the session (POST only)."""

    next_page = "accounts:sign-in"


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def signin_link(request: HttpRequest, name: str, token: str) -> HttpResponse:
    """GET shows a button (mail scanners and previews follow links), POST signs in once."""
    if request.method == "GET":
        return render(request, "accounts/signin_link.html")
    user = redeem(name, token)
    if user is None:
        return render(request, "accounts/signin_link_dead.html", status=410)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The own name, and a form to set a password."""
    user = cast(User, request.user)
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            set_password(user=user, password=form.cleaned_data["password"])
        except ActionError as error:
            form.add_error("password", error.message)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("Password set. You can now sign in with it."))
            return redirect("accounts:account")
    status = 422 if form.errors else 200
    return render(request, "accounts/account.html", {"form": form}, status=status)
