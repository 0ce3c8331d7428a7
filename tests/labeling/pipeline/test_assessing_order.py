"""What an assessment remarks while the answers that are there are no random sample."""

import pytest

from labeling.quality.actions import draw_audit
from labeling.quality.figures import from_json
from labeling.quality.queries import newest_assessment
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import finish, start
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, make_framed

pytestmark = pytest.mark.django_db


def codes(run):
    return {notice.code for notice in from_json(newest_assessment(run).figures).notices}


@pytest.mark.parametrize(("order", "is_told"), [("oldest", True), ("uncertain", False)])
def test_shares_of_an_unfinished_draw_in_the_order_of_the_data_say_so(tmp_path, order, is_told):
    user = make_user()
    project = make_project(user)
    type(project).objects.update(review_order=order)
    dataset = make_framed(project, texts=120, copies=0, frame=60)
    run = finish(start(project, dataset, make_pool(project, tmp_path, noise=[0.1, 0.2, 0.5]), renews_accepted=False))
    draw_audit(dataset=dataset, count=60, by=user)
    told = []
    for some in (30, None):
        answer_items(audit_items(dataset)[:some], user)
        work_off(("io", "consensus"))
        told.append("in_order" in codes(run))
    assert told == [is_told, False]
