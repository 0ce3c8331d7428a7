"""What follows from answers that change while a measurement is under way."""

from datetime import datetime

import pytest

from labeling.labels.audit_queries import blind_answers
from labeling.quality.actions import ask_assessment, draw_audit
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment
from labeling.runs.queries import current_generation
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import do_while, finish, start
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, framed, make_framed
from tests.labeling.refinement.learning import answer_to

pytestmark = pytest.mark.django_db


def shifted(by):
    """What a person says who takes each class for the one that comes `by` places after it."""

    def chosen(item):
        class_ids = sorted(item.project.classes.values_list("id", flat=True))
        return class_ids[(answer_to(item.sample.text) + by) % len(class_ids)]

    return chosen


def test_answers_that_change_while_they_are_measured_are_followed(tmp_path):
    """They are older than the assessment that does not know them, and as many: the next one is news all the same."""
    user = make_user()
    project = make_project(user)
    versions = make_pool(project, tmp_path, noise=[0.1, 0.2, 0.5])
    dataset = make_framed(project, texts=210, copies=20, frame=160)
    run = finish(start(project, dataset, versions, renews_accepted=False, aggregator="race"))
    draw_audit(dataset=dataset, count=160, by=user)
    answer_items(audit_items(dataset), user, shifted(0))
    ask_assessment(run=run)
    do_while(lambda: answer_items(audit_items(dataset, "decided"), user, shifted(1)))
    work_off(("io", "consensus"))
    before, *_others, after = Assessment.objects.filter(run=run).order_by("number")
    assert (before.answered, after.answered) == (160, 160)
    assert current_generation(run).aggregation == after.aggregation
    assert before.aggregation != after.aggregation
    times = [one.created_at for one in blind_answers(dataset.pk, framed(dataset)).values()]
    assert datetime.fromisoformat(from_json(before.figures).read_at) < min(times) < max(times) < before.created_at
