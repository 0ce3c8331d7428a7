"""What a pool answers: versions may hold the same classes in another order."""

import pytest

from labeling.labels.models import Consensus
from labeling.specialists.models import SpecialistVersion
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import finish, start
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db


def consensus_of(run):
    rows = Consensus.objects.filter(run=run).order_by("sample__position")
    return list(rows.values_list("label_class_id", "uncertainty", "score", "confidence", "route"))


def test_the_order_of_a_versions_classes_changes_nothing(tmp_path):
    found = []
    for turn in (0, 1):
        project = make_project(make_user())
        versions = make_pool(project, tmp_path / str(turn), noise=0.3)
        first = min(versions[1].class_ids)
        if turn:
            SpecialistVersion.objects.filter(pk=versions[1].pk).update(class_ids=[first + 2, first, first + 1])
        run = finish(start(project, make_dataset(project, [f"text {i}" for i in range(60)]), versions))
        found.append([(class_id and class_id - first, *rest) for class_id, *rest in consensus_of(run)])
    assert found[0] == found[1]
