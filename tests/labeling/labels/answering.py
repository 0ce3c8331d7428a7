"""People who answer texts of a run, and what their answers come to."""

from uuid import uuid4

from annotator_core.types import LabelSource, Route
from labeling.labels.actions import adjudicate, decide, undo
from labeling.labels.models import Consensus, Label, ReviewItem
from labeling.projects.models import Project, Role
from labeling.runs.models import Run
from tests.labeling.factories import add_member, make_user


def item_of(run, text):
    return ReviewItem.objects.get(run=run, sample__text=text)


def class_of(run, name):
    return run.project.classes.get(name=name).pk


def choose(run, user, text, name="positive", client_id=None, item=None, **given):
    return decide(
        item_id=(item or item_of(run, text)).pk,
        project=run.project,
        user_id=user.pk,
        class_id=class_of(run, name),
        client_id=client_id or uuid4(),
        **given,
    )


def settle(run, user, text, name="positive", client_id=None, item=None, **given):
    """A reviewer adjudicates."""
    return adjudicate(
        item_id=(item or item_of(run, text)).pk,
        project=run.project,
        user_id=user.pk,
        class_id=class_of(run, name),
        client_id=client_id or uuid4(),
        **given,
    )


def take_back(run, user, of=None):
    return undo(project=run.project, user_id=user.pk, client_id=uuid4(), of=of)


def current(run, text):
    labels = Label.objects.filter(sample__dataset=run.dataset, sample__text=text, is_current=True)
    return sorted(labels.values_list("label_class__name", "source"))


def recount(run):
    """Hard rows of the run whose current label a person gave, counted from the facts."""
    hard = Consensus.objects.filter(run=run, route=Route.REVIEW).values("sample_id")
    by_person = (LabelSource.IMPORTED, LabelSource.HUMAN, LabelSource.ADJUDICATED)
    return Label.objects.filter(sample_id__in=hard, is_current=True, source__in=by_person).count()


def decided(run):
    return Run.objects.get(pk=run.pk).decided


def standing(run, text):
    """(state, escalation) of the text's item."""
    item = item_of(run, text)
    return item.state, item.escalation


def make_people(project, count, role=Role.ANNOTATOR):
    people = [make_user() for _ in range(count)]
    for one in people:
        add_member(project, one, role)
    return people


def set_overlap(project, overlap=1, audit=2):
    Project.objects.filter(pk=project.pk).update(overlap=overlap, audit_overlap=audit)
    project.refresh_from_db()
