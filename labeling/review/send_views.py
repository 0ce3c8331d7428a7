"""The wire of the review screen: one JSON letter there, one back."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from labeling.accounts.models import User
from labeling.labels.queries import pace_of
from labeling.projects.access import Access, access_project
from labeling.projects.queries import active_classes
from labeling.review.actions.queue import Holding, hold
from labeling.review.actions.sending import Kind, Result, send
from labeling.review.forms import LETTER_MOST_BYTES, BadLetterError, Letter, read_letter
from labeling.review.queries import cards_of, emptiness_of, last_of, mark_of


@never_cache
@login_not_required
@require_POST
def send_letter(request: HttpRequest, slug: str) -> HttpResponse:
    """Do what the page sent and answer with its results and the next cards. Every answer is JSON, refusals too."""
    user = request.user
    if not isinstance(user, User):
        return _sign_in()
    try:
        access = access_project(user.pk, slug)
        letter = read_letter(_body(request))
    except Http404 as error:
        return _refused(HTTPStatus.NOT_FOUND, str(error))
    except PermissionDenied as error:
        return _refused(HTTPStatus.FORBIDDEN, str(error))
    except RequestDataTooBig:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("That is too much at once."))
    except BadLetterError as error:
        words = {"place": str(error)}
        return _refused(HTTPStatus.BAD_REQUEST, _("This could not be read (%(place)s). Nothing was stored.") % words)
    if letter.user_id not in {None, user.pk}:
        # Somebody else has signed in where the page stands open: what waits on it is not theirs.
        return _sign_in(is_somebody_else=True)
    return JsonResponse(_answer(request, access, user, letter))


def _body(request: HttpRequest) -> bytes:
    """Raises RequestDataTooBig above a megabyte."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > LETTER_MOST_BYTES or len(request.body) > LETTER_MOST_BYTES:
        raise RequestDataTooBig
    return request.body


def _sign_in(**more: bool) -> JsonResponse:
    return JsonResponse({"sign_in": resolve_url("accounts:sign-in")} | more, status=HTTPStatus.UNAUTHORIZED)


def _refused(status: HTTPStatus, message: str) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)


def _answer(request: HttpRequest, access: Access, user: User, letter: Letter) -> dict[str, Any]:
    project = access.project
    results = send(project=project, user_id=user.pk, actions=letter.actions)
    back = _brought_back(letter, results)
    held = hold(project=project, user_id=user.pk, n=letter.want, have=letter.have, back=back)
    is_idle = not (held.kept or held.fresh)
    head = {"screen": {"pace": pace_of(project, user.pk)}} if letter.actions and letter.wants_head else None
    last = {"last": last_of(project, user)} if letter.actions else None
    return {
        "results": [_result(one) for one in results],
        "cards": _cards(access, user, held, back),
        "lost": held.lost,
        "until": held.until.isoformat() if held.until else None,
        "classes": _classes(access, letter.classes),
        "head": _render(access, "screen.html#head", head) if head else None,
        "last": _render(access, "last.html", last) if last else None,
        "empty": _empty(request, access, user) if is_idle else None,
    }


def _brought_back(letter: Letter, results: list[Result]) -> list[int]:
    """Items that undos gave back to the person's screen, the one undone last first."""
    undone = [
        result.item
        for sent, result in zip(letter.actions, results, strict=True)
        if sent.kind == Kind.UNDO and result.outcome in {"stored", "repeat"} and result.item
    ]
    return list(dict.fromkeys(reversed(undone)))


def _result(result: Result) -> dict[str, Any]:
    return {"id": str(result.id), "outcome": result.outcome, "message": result.message, "item": result.item}


def _cards(access: Access, user: User, held: Holding, back: list[int]) -> list[dict[str, Any]]:
    cards = cards_of(access.project, user.pk, held.fresh, held.until)
    return [
        {"item": card.item.pk, "html": render_to_string("review/card.html", {"card": card, "project": access.project})}
        | ({"is_back": True} if card.item.pk in back else {})
        for card in cards
    ]


def _classes(access: Access, mark: str) -> dict[str, str] | None:
    classes = active_classes(access.project)
    now = mark_of(classes)
    if now == mark:
        return None
    return {"mark": now, "html": _render(access, "screen.html#classes", {"screen": {"classes": classes}})}


def _empty(request: HttpRequest, access: Access, user: User) -> str:
    emptiness = emptiness_of(access.project, user.pk)
    return _render(access, "empty.html", {"emptiness": emptiness, "screen": {}}, request)


def _render(access: Access, name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
    """With the request only where there is a form inside, which needs its token."""
    return render_to_string(f"review/{name}", access.context() | context, request)
