"""Overruling what a text was decided as, on a page of its own."""

from typing import cast
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling.accounts.models import User
from labeling.labels.models import Finding, ItemState
from labeling.labels.queries import standing_verdict
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.projects.queries import active_classes
from labeling.review.access import access_item
from labeling.review.desk.actions import Ruling, correct
from labeling.review.desk.forms import CorrectionForm
from labeling.review.desk.queries import case_of
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page


@never_cache
@require_http_methods(["GET", "POST"])
@project_view(Role.REVIEWER)
def correct_text(request: HttpRequest, access: Access, item_id: int) -> HttpResponseBase:
    """A decided text with all answers; POST gives it another class."""
    project, user = access.project, cast(User, request.user)
    item = access_item(project, item_id)
    if item.state != ItemState.DECIDED:
        # The answers on a text that waits are nobody's to read but at the desk.
        messages.info(request, _("Only a decided text is corrected."))
        return redirect_to(request, "overview:sample", slug=project.slug, sample_id=item.sample_id)
    form = CorrectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data
        ruling = Ruling(item.pk, sent["label_class"], sent["client_id"], sent["finding"], sent["note"])
        try:
            correct(project=project, user_id=user.pk, ruling=ruling)
        except ActionError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Corrected."))
        return redirect_to(request, "overview:sample", slug=project.slug, sample_id=item.sample_id)
    context = access.context() | {
        "case": case_of(project, item, with_votes=False),
        "standing": standing_verdict(item),
        "form": form,
        "classes": active_classes(project),
        "findings": Finding.choices,
        "client_id": uuid4(),
    }
    return render_page(request, "desk/correct.html", context, status=422 if form.errors else 200)
