"""What the tests of the triage grid share: a project whose specialists propose classes, and its person."""

from uuid import uuid4

from labeling.labels.models import ReviewItem
from labeling.review.triage.actions import Batch, confirm, take
from labeling.review.triage.queries import proposals_for
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

# The factory's consensus goes round: negative, neutral, positive, negative ...; the first is the surest.
TEXTS = tuple(f"text {number}" for number in range(9))


def make_grid_project(texts=TEXTS):
    """A project of one person, with a run whose texts all wait."""
    project = make_project(make_user())
    make_run(make_dataset(project, list(texts)))
    return project


def class_of(project, name):
    return project.classes.get(name=name)


def items_of(project, *texts):
    found = {item.sample.text: item for item in ReviewItem.objects.filter(project=project).select_related("sample")}
    return [found[text] for text in texts]


def proposed(project, user, name=None, without=()):
    """The texts proposed to the person for the class of that name, in order."""
    class_id = class_of(project, name).pk if name else None
    ids = proposals_for(project, user.pk, class_id, without).item_ids
    texts = dict(ReviewItem.objects.filter(pk__in=ids).values_list("pk", "sample__text"))
    return [texts[pk] for pk in ids]


def take_up(project, user, name="negative"):
    """The grid of a class on the person's screen: the items' ids."""
    ids = proposals_for(project, user.pk, class_of(project, name).pk, ()).item_ids
    return take(project=project, user_id=user.pk, item_ids=ids).item_ids


def confirm_texts(project, user, item_ids, *, name="negative", left_out=(), mark=None):
    batch = Batch(mark or uuid4(), class_of(project, name).pk, list(item_ids), list(left_out))
    return confirm(project=project, user_id=user.pk, batch=batch)
