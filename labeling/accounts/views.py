"""Signing in and out, the one-time link, the own account."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from labeling.accounts.actions import set_password
from labeling.accounts.forms import PasswordForm
from labeling.accounts.links import peek, redeem
from labeling.accounts.models import User
from labeling.web.errors import ActionError

BY_LINK = "signed_in_by_link"


class SignIn(LoginView):
    """Name and password. There is no open registration: people come in by a link (S04)."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again, with 422 as every refused form has."""
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def render_to_response(self, context: dict[str, Any], **options: Any) -> TemplateResponse:
        """The form; what is told beside it is told once more on the page after it, where it can be acted on."""
        response = cast(TemplateResponse, super().render_to_response(context, **options))
        response.add_post_render_callback(lambda _page: setattr(messages.get_messages(self.request), "used", False))
        return response


class SignOut(LogoutView):
    """Ends the session (POST only)."""

    next_page = "accounts:sign-in"


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def signin_link(request: HttpRequest, name: str, token: str) -> HttpResponse:
    """GET shows a button (mail scanners and previews follow links), POST signs in once."""
    user = peek(name, token) if request.method == "GET" else redeem(name, token)
    if user is None:
        return render(request, "accounts/signin_link_dead.html", status=410)
    if request.method == "GET":
        return render(request, "accounts/signin_link.html", {"person": user, "next": request.GET.get("next", "")})
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[BY_LINK] = True
    return redirect(_safe_path(request, request.POST.get("next", "")))


@login_not_required
@never_cache
@require_GET
def session(request: HttpRequest) -> JsonResponse:
    """Who is signed in, and the token that the next request needs: for pages that outlive a session."""
    user = request.user
    found = (user.pk, user.get_username()) if user.is_authenticated else (None, "")
    return JsonResponse({"user": found[0], "name": found[1], "csrf": get_token(request)})


def _safe_path(request: HttpRequest, path: str) -> str:
    """The path when it leads to this site, else the first page."""
    is_ours = url_has_allowed_host_and_scheme(path, {request.get_host()}, require_https=request.is_secure())
    return path if is_ours else "/"


@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The own name, and a form to set a password. Who came by a link need not know the password before it."""
    user = cast(User, request.user)
    is_current_asked = user.has_usable_password() and not request.session.get(BY_LINK)
    form = PasswordForm(request.POST or None, user=user, is_current_asked=is_current_asked)
    if form.is_valid():
        try:
            set_password(user=user, password=form.cleaned_data["password"])
        except ActionError as error:
            form.add_error("password", error.message)
        else:
            update_session_auth_hash(request, user)
            request.session.pop(BY_LINK, None)
            messages.success(request, _("Password set. You can now sign in with it."))
            return redirect("accounts:account")
    context = {
        "form": form,
        "person": user,
        "has_password": user.has_usable_password(),
        "role_hint": _("Operator of this installation") if user.is_staff else "",
    }
    return render(request, "accounts/account.html", context, status=422 if form.errors else 200)
