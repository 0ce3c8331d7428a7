"""The refinement pages: hard pools, rounds at work, one round with its gate, what is forgotten, the disk."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.labels.queries import pace_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.refinement import page_queries
from labeling.refinement.access import access_challenger, access_round
from labeling.refinement.actions import (
    give_up_round,
    keep,
    promote,
    prune_versions,
    retry_round,
    roll_back,
    set_source_test,
    start_round,
)
from labeling.refinement.forms import SourceTestForm
from labeling.refinement.history import pool_lines, round_line
from labeling.refinement.models import RoundKind, Trigger
from labeling.refinement.plots import Remembered, accuracies, hard_shares, loss_rows, remembered
from labeling.refinement.queries import challengers_of, rounds_of
from labeling.runs.queries import run_numbered
from labeling.specialists.models import Specialist
from labeling.specialists.queries import specialist_in
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to, render_page

ROUNDS_SHOWN = 50


@require_GET
@project_view(Role.MANAGER)
def list_rounds(request: HttpRequest, access: Access) -> HttpResponse:
    """Hard pools, the rounds so far, what they changed."""
    return _render_list(request, access, {})


def _render_list(request: HttpRequest, access: Access, forms: dict[int, SourceTestForm]) -> HttpResponse:
    """The page; its live part alone needs neither what is forgotten nor a look at the disk."""
    context = access.context() | _work_context(access, cast(User, request.user).pk)
    if context["rounds"] and (forms or not is_fragment_request(request)):
        context |= {
            "memories": _memories(access, forms),
            "has_gold": bool(page_queries.datasets_with_gold(access.project)),
            "prunable": prune_versions(project=access.project, dry_run=True),
        }
    return render_page(
        request, "refinement/list.html", context, fragment="memories" if forms else "work", status=422 if forms else 200
    )


def _work_context(access: Access, user_id: int) -> dict[str, Any]:
    """Pools, rounds and plots: the number of queries does not depend on how many there are."""
    rounds = list(rounds_of(access.project)[:ROUNDS_SHOWN])
    challengers = page_queries.challengers_by_round(rounds)
    challengers.update({one.pk: challengers_of(one) for one in rounds if one.is_at_work})
    taken_off = page_queries.taken_off_by_round(access.project)
    seconds = pace_of(access.project, user_id).seconds
    lines = [
        round_line(one, challengers.get(one.pk, []), taken_off=taken_off.get(one.number), seconds=seconds)
        for one in rounds
    ]
    pools = pool_lines(access.project, {line.round.run_id: line for line in lines if line.round.is_at_work})
    run = next((one.run for one in rounds if one.run), None)
    at_work = next((line.round for line in lines if line.round.is_at_work), None)
    watched = at_work and f"{'cold' if at_work.kind == RoundKind.COLD_START else 'round'}:{at_work.pk}"
    return {
        "rounds": rounds,
        "lines": lines,
        "open_lines": [line for line in lines if line.round.is_at_work or line.round.state == "waiting"],
        "pools": pools,
        "accuracies": accuracies(rounds, challengers),
        "hard_shares": hard_shares(run, page_queries.generations_of(run)) if run else [],
        "charted_run": run,
        "topic": watched or (f"run:{pools[0].run.pk}" if pools else ""),
    }


def _memories(
    access: Access, forms: dict[int, SourceTestForm]
) -> list[tuple[Specialist, list[Remembered], SourceTestForm]]:
    """What each specialist forgets, with the form of its source test."""
    tests = page_queries.source_tests(access.project)
    datasets = page_queries.datasets_with_gold(access.project)
    history = page_queries.challengers_by_specialist(access.project)
    memories = []
    for specialist in page_queries.specialists_in_rounds(access.project):
        test = tests.get(specialist.pk)
        chosen = test.dataset if test else None
        form = forms.get(specialist.pk) or SourceTestForm(specialist=specialist, datasets=datasets, chosen=chosen)
        memories.append((specialist, remembered(history.get(specialist.pk, [])), form))
    return memories


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, number: int) -> HttpResponse:
    """One round, live."""
    round_ = access_round(access.project, number)
    challengers = challengers_of(round_)
    taken_off = page_queries.taken_off_by_round(access.project).get(round_.number)
    seconds = pace_of(access.project, cast(User, request.user).pk).seconds
    context = access.context() | {
        "line": round_line(round_, challengers, taken_off=taken_off, seconds=seconds),
        "round": round_,
        "losses": loss_rows(challengers),
        "is_live": round_.is_at_work and round_.state != "failed",
    }
    return render_page(request, "refinement/detail.html", context, fragment="work")


@require_POST
@project_view(Role.MANAGER)
def start(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """A round of the run, asked for by a manager."""
    run = run_numbered(access.project, number)
    if run is None:
        raise Http404(_("There is no such run in this project."))
    round_ = start_round(run=run, trigger=Trigger.MANAGER, by=cast(User, request.user))
    return redirect_to(request, "refinement:detail", slug=access.project.slug, number=round_.number)


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, number: int, verb: str) -> HttpResponseBase:
    """Retry, give-up or roll-back of a round."""
    round_ = access_round(access.project, number)
    if round_.kind == RoundKind.COLD_START:
        return redirect_to(request, "cold:train", slug=access.project.slug)
    if verb == "retry":
        retry_round(round_=round_)
    elif verb == "give-up":
        give_up_round(round_=round_)
    else:
        roll_back(round_=round_, by=cast(User, request.user))
        messages.success(request, _("Rolled back. The versions of before vote again."))
    return redirect_to(request, "refinement:detail", slug=access.project.slug, number=round_.number)


@require_POST
@project_view(Role.MANAGER)
def decide(request: HttpRequest, access: Access, challenger_id: int, verb: str) -> HttpResponseBase:
    """Promote or keep a challenger."""
    challenger = access_challenger(access.project, challenger_id)
    by = cast(User, request.user)
    if verb == "promote":
        promote(challenger=challenger, by=by)
        messages.success(request, _("Promoted. %(name)s votes from now on.") % {"name": challenger.version})
    else:
        keep(challenger=challenger, by=by)
        messages.success(request, _("Kept. Its champion goes on voting."))
    return redirect_to(request, "refinement:detail", slug=access.project.slug, number=challenger.round.number)


@require_POST
@project_view(Role.MANAGER)
def choose_source_test(request: HttpRequest, access: Access, specialist_id: int) -> HttpResponseBase:
    """The data set on which a specialist's forgetting is measured."""
    specialist = _specialist(access, specialist_id)
    datasets = page_queries.datasets_with_gold(access.project)
    form = SourceTestForm(request.POST, specialist=specialist, datasets=datasets)
    if form.is_valid():
        try:
            set_source_test(specialist=specialist, dataset=form.cleaned_data["dataset"])
        except ActionError as error:
            form.add_error("dataset", error.message)
        else:
            messages.success(request, _("Saved. The next round measures on it."))
            return redirect_to(request, "refinement:list", slug=access.project.slug)
    return _render_list(request, access, {specialist.pk: form})


def _specialist(access: Access, specialist_id: int) -> Specialist:
    specialist = specialist_in(access.project, specialist_id)
    if specialist is None:
        raise Http404(_("There is no such specialist in this project."))
    return specialist


@require_POST
@project_view(Role.MANAGER)
def free_disk(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Remove the weights that nobody needs any more."""
    pruned = prune_versions(project=access.project)
    text = ngettext(
        "%(size)s freed: %(n)d version lost its weights.",
        "%(size)s freed: %(n)d versions lost their weights.",
        pruned.count,
    )
    messages.success(request, text % {"size": filesizeformat(pruned.bytes), "n": pruned.count})
    return redirect_to(request, "refinement:list", slug=access.project.slug)
