from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Label, ReviewItem
from labeling.review.actions import skip
from labeling.review.models import Skip
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import choose, make_people, set_overlap, take_back

pytestmark = pytest.mark.django_db


def test_older_consensus_labels_belong_to_the_first_generation():
    project = make_project(make_user())
    run = make_run(make_dataset(project, ["a", "b"]), hard=set())
    Label.objects.update(generation=None)
    person = LabelRow(run.dataset.samples.first().pk, project.classes.first().pk, run_id=run.pk)
    set_labels(rows=[person], source=LabelSource.HUMAN)
    import_module("labeling.labels.migrations.0004_consensus_generation").name_first_generation(apps, None)
    found = Label.objects.order_by("source", "id").values_list("source", "generation")
    assert list(found) == [("consensus", 0), ("consensus", 0), ("human", None)]


def test_items_that_were_passed_over_get_the_names_of_who_did():
    project = make_project(make_user())
    people = make_people(project, 2)
    make_run(make_dataset(project, ["both", "one", "undone", "none"]))
    for text, passed in (("both", people[::-1]), ("one", people[1:]), ("undone", people[:1])):
        for user in passed:
            skip(project=project, user_id=user.pk, item_id=ReviewItem.objects.get(sample__text=text).pk)
    Skip.objects.filter(item__sample__text="undone").update(ended_at=timezone.now())
    ReviewItem.objects.update(skipped_by="")
    import_module("labeling.review.migrations.0004_fill_skippers").fill(apps, None)
    first, second = (user.pk for user in people)
    found = dict(ReviewItem.objects.values_list("sample__text", "skipped_by"))
    assert found == {"both": f",{first},{second},", "one": f",{second},", "undone": "", "none": ""}


def test_items_that_wait_get_the_crowd_of_those_who_have_answered_them():
    project = make_project(make_user())
    people = make_people(project, 2)
    set_overlap(project, overlap=3)
    run = make_run(make_dataset(project, ["both", "one", "undone", "none"]))
    for text, answered in (("both", people[::-1]), ("one", people[1:]), ("undone", people[:1])):
        for user in answered:
            choose(run, user, text)
    take_back(run, people[0])
    crowds = dict(ReviewItem.objects.values_list("sample__text", "answered_by"))
    first, second = (user.pk for user in people)
    assert crowds == {"both": f",{first},{second},", "one": f",{second},", "undone": "", "none": ""}
    ReviewItem.objects.update(answered_by="")
    import_module("labeling.labels.migrations.0011_fill_crowds").fill(apps, None)
    assert dict(ReviewItem.objects.values_list("sample__text", "answered_by")) == crowds
