"""The lines of certificates on the quality page and a run's page: reached, at a price, or with too few texts left."""

import pytest

from labeling.quality.templatetags.contract import certificate_price
from labeling.runs.models import Run
from tests.labeling.quality.made_assessments import make_assessment, make_figures
from tests.labeling.quality.test_pages import page, rows

pytestmark = pytest.mark.django_db


def test_certificates_are_reached_have_a_price_or_are_out_of_reach(client, project, run):
    Run.objects.filter(pk=run.pk).update(target_error=4)
    make_assessment(run, target_error=4)
    assert rows(page(client, project), "Certificates") == [
        ["10%", "Reached", "About 93.0% of the different texts; at most 10% of these are wrong"],
        ["5%", "Reached", "About 58.0% of the different texts; at most 5% of these are wrong"],
        ["4% this run's target", "Not yet", "At least 36 more answers, about 6 min"],
        ["3%", "Not yet", "At least 410 more answers, about 1 h 08"],
        [
            "2%",
            "Out of reach",
            "It takes at least 2,400 more texts: only 900 are kept apart for audits and left.",
        ],
        [
            "1%",
            "Not in sight",
            "No number of answers can be named: not even the surest labels are shown to be so good yet.",
        ],
    ]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (0, "It takes at least 36 more texts: all that are kept apart for audits are answered."),
        (1, "It takes at least 36 more texts: only 1 is kept apart for audits and left."),
    ],
)
def test_no_answers_are_priced_that_the_data_set_does_not_have(client, project, run, left, words):
    Run.objects.filter(pk=run.pk).update(target_error=4)
    run.target_error = 4
    make_assessment(run, figures=make_figures(run, frame_texts=300 + left), target_error=4)
    assert rows(page(client, project), "Certificates")[2][1:] == ["Out of reach", words]
    assert certificate_price(project, run) == words


def test_what_waits_comes_on_top_of_the_prices_of_certificates(client, project, run):
    make_assessment(run)
    told = "The 100 answers that the queue takes come on top: a draw certifies once its last text is answered."
    assert page(client, project).count(told) == 1


def test_a_plan_counts_the_looks_that_were_had(client, project, run):
    goal = "That at most 10% of the accepted labels are wrong, if in truth 5% are"

    def planned():
        return dict(row[:2] for row in rows(page(client, project), "What an audit can tell"))[goal]

    before = planned()
    make_assessment(run)
    assert (before, planned()) == ("924", "1,185")


def test_the_run_s_page_says_that_the_queue_comes_on_top_of_a_certificate(project, run):
    run.target_error = 4
    make_assessment(run, target_error=4)
    told = "A certificate takes at least 36 more answers, about 6 min, and what waits in the queue: "
    assert certificate_price(project, run) == told + "an audit's texts wait among all others."
