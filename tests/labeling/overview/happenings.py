"""What happens to the texts of a small run, in short words."""

from uuid import uuid4

from django.urls import reverse

from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem, Vote
from labeling.runs.models import PoolGeneration, PoolMember
from labeling.specialists.models import Specialist, SpecialistVersion

TEXTS = ["zero", "one", "two", "three", "four", "five"]


def url(project, name="samples", **more):
    return reverse(f"overview:{name}", kwargs={"slug": project.slug, **more})


def sample_url(run, text):
    return url(run.project, "sample", sample_id=run.dataset.samples.get(text=text).pk)


def words_of(response):
    return " ".join(response.content.decode().split())


def shown(response):
    """The texts of the list."""
    return [row.text for row in response.context["rows"]]


def item_of(run, text):
    return ReviewItem.objects.get(dataset=run.dataset, sample__text=text)


def class_of(run, name):
    return run.project.classes.get(name=name)


def choose(run, user, text, name="positive"):
    """A person's answer on a text."""
    class_id = class_of(run, name).pk
    return decide(
        item_id=item_of(run, text).pk, project=run.project, user_id=user.pk, class_id=class_id, client_id=uuid4()
    )


def add_specialist(run, name, votes, *, number=1, specialist=None):
    """A specialist in the run's newest pool that votes so: class names by text, None for an abstention."""
    specialist = specialist or Specialist.objects.create(project=run.project, name=name, source="folder", location="x")
    class_ids = list(run.project.classes.values_list("pk", flat=True))
    version = SpecialistVersion.objects.create(
        specialist=specialist,
        number=number,
        weights_hash=name,
        model_labels=[],
        targets=[],
        class_ids=class_ids,
        max_length=9,
    )
    pool = PoolGeneration.objects.filter(run=run).latest("number")
    PoolMember.objects.create(generation=pool, version=version, position=pool.members.count())
    for text, class_name in votes.items():
        said = class_of(run, class_name) if class_name else None
        sample = run.dataset.samples.get(text=text)
        Vote.objects.create(sample=sample, version=version, label_class=said, top_probability=0.75 if said else None)
    return version
