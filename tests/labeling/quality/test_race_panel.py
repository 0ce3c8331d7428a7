"""What the quality page says of the race, and the button that takes its winner."""

import pytest

from labeling.runs.models import Aggregator, PolicyName, PoolGeneration, Run
from tests.labeling.quality.made_assessments import make_assessment, make_figures
from tests.labeling.quality.test_pages import page, rows, url

pytestmark = pytest.mark.django_db


def test_the_race_names_the_winner_what_is_in_use_and_the_best_single(client, project, run):
    Run.objects.filter(pk=run.pk).update(aggregator=Aggregator.AVERAGE)
    make_assessment(run)
    race = rows(page(client, project), "The race")
    assert [(row[0], row[1], row[4]) for row in race] == [
        ("Logistic stacker a regression on what the specialists believe", "88.4%", "Winner"),
        ("Naive Bayes each specialist&#x27;s habits of error, learned from the audit", "86.5%", ""),
        ("Average probability the mean of what the specialists believe", "84.6%", "In use"),
        ("Best single specialist model-1", "83.7%", ""),
        ("Majority vote every specialist one vote", "81.7%", ""),
    ]


def test_before_a_race_the_page_says_what_it_needs(client, project, run):
    make_assessment(run, figures=make_figures(run, race=(), fit_rows=12))
    said = page(client, project)
    assert "12 answered texts may fit so far. The race needs 50 of them." in said
    assert ("Once a draw is finished, only texts of finished draws fit." in said, "Cross-validated" in said) == (
        True,
        False,
    )


def test_the_winner_is_used_by_a_button(client, project, run):
    make_assessment(run, aggregation={"name": "average"})
    assert "Use the winner" in page(client, project)
    client.post(url(project, "act", number=run.number, verb="use-winner"))
    assert PoolGeneration.objects.get(run=run, number=1).aggregation == {"name": "average"}
    assert "Use the winner" not in page(client, project)


@pytest.mark.parametrize("change", [{"policy": PolicyName.PAPER}, {"state": "done"}, {"generation": 1}])
def test_a_winner_that_may_not_be_used_has_no_button(client, project, run, change):
    make_assessment(run)
    PoolGeneration.objects.create(run=run, number=1)
    Run.objects.filter(pk=run.pk).update(**change)
    assert "Use the winner" not in page(client, project)


def test_there_is_no_winner_to_use_before_a_race(client, project, run):
    client.post(url(project, "act", number=run.number, verb="use-winner"))
    assert "There is no winner yet" in page(client, project)


def test_a_winner_that_has_learned_from_reviews_says_so(client, project, run):
    make_assessment(run, figures=make_figures(run, learned=400))
    said = page(client, project)
    assert "Logistic stacker has learned from 400 reviewed texts, too, and predicts all answers best." in said
    assert "The table measures every way by the audited texts alone." in said
