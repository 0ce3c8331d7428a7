from importlib import import_module

import pytest
from django.apps import apps

from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Label
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

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
