"""Many rows in one statement."""

import pytest

from labeling.labels.models import ReviewItem
from labeling.web.bulk import set_column
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_value_and_no_other_row_any():
    run = make_run(make_dataset(make_project(make_user()), ["one", "two", "three"]))
    first, second, third = ReviewItem.objects.filter(run=run).order_by("id")
    set_column(ReviewItem, "priority", [(0.5, third.pk), (0.25, first.pk)])
    found = ReviewItem.objects.filter(run=run).order_by("id").values_list("priority", flat=True)
    assert list(found) == [0.25, second.priority, 0.5]
