"""What the quality page says of prices and of labels that nobody has measured."""

import pytest

from labeling.labels.models import ReviewItem
from labeling.quality.figures import Notice, Second
from tests.labeling.factories import add_member, make_user
from tests.labeling.quality.audits import answer_items
from tests.labeling.quality.made_assessments import make_assessment, make_audit, make_figures
from tests.labeling.quality.test_pages import page, rows

pytestmark = pytest.mark.django_db


def test_an_audit_s_texts_are_priced_with_the_answers_of_all_who_give_them(client, project, run):
    """Two people answer a text of an audit as soon as there are two; what a person has answered is one answer fewer."""
    ann = add_member(project, make_user()).user
    make_assessment(run)
    html = page(client, project)
    assert "40 texts take 80 answers, about 13 min." in html
    assert "people give up to 180, about 30 min" in html
    assert "2 people answer each text, and a reviewer where they differ, which is not counted." in html
    assert [row[2] for row in rows(html, "Certificates")[2:4]] == [
        "At least 410 more texts, 820 answers, about 2 h 17",
        "It takes at least 2,400 more texts: only 900 are kept apart for audits and left.",
    ]
    make_audit(run.dataset, drawn=12, by=ann)
    asked = sum(ReviewItem.objects.filter(state="open").values_list("needed", flat=True))
    assert f"all {asked} answers that the queue takes" in page(client, project)
    answer_items(ReviewItem.objects.filter(state="open", needed=2)[:3], ann)
    assert f"all {asked - 3} answers that the queue takes" in page(client, project)


def test_labels_of_people_who_had_seen_the_votes_are_measured_by_nobody(client, project, run):
    """Half of the 7% that people gave: the other half has the error that the audit found."""
    seen = Notice("seen_labels", {"count": 30, "of": 60, "together": 20})
    make_assessment(run, figures=make_figures(run, seconds=(Second("person", 1.0, 3, 60),), notices=(seen,)))
    html = page(client, project)
    told = "All labels: at most 9.7% are wrong, if the 3.5% are right that nobody has measured (90%)"
    assert rows(html, "Certificates")[0][2].endswith(told)
    assert "30 reviewed labels are of people who had seen the votes (confirmed in triage: 20): no audit" in html
