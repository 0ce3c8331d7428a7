"""The quality page over HTTP."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.labels.actions import undo
from labeling.labels.models import ReviewItem
from labeling.quality.figures import AgreementFigure, Second, Share
from labeling.quality.models import Audit
from labeling.runs.models import PoolGeneration, Run
from labeling.web.wording import word_duration
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.quality.audits import answer_items, audit_items
from tests.labeling.quality.made_assessments import (
    NOTHING,
    make_assessment,
    make_audit,
    make_figures,
    make_measuring,
)
from tests.labeling.refinement.made_rounds import make_pooled_run, make_versions

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def url(project, name="page", **kwargs):
    return reverse(f"quality:{name}", kwargs={"slug": project.slug} | kwargs)


def page(client, project, query=""):
    answer = client.get(url(project) + query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def rows(html, caption):
    """The cells of all rows of the table."""
    table = html.split(f">{caption}</caption>")[1].split("</table>")[0]
    found = table.split("<tbody>")[1].split("</tr>")[:-1]
    return [[texts(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in found]


def test_without_a_run_the_page_says_what_an_audit_needs(client, project):
    html = page(client, project)
    assert "Nothing to measure yet" in html
    assert reverse("runs:new", kwargs={"slug": project.slug}) in html


def test_a_data_set_without_a_frame_says_so(client, project):
    make_run(make_dataset(project, ["one", "two"]))
    assert "No text is kept apart for an audit" in page(client, project)


def test_before_an_audit_the_page_offers_one_with_its_price(client, project, run):
    html = page(client, project)
    assert 'value="40"' in html
    # A hundred texts of the run wait already.
    assert "40 texts can be drawn. 40 texts take 40 answers, about 7 min." in html
    assert "Until the last one is answered people give up to 140, about 23 min: the texts wait among all" in html
    assert "Hours are counted with 10 s an answer until this project has a pace of its own." in html
    assert "come on top" not in html  # it was said
    plan = rows(html, "What an audit can tell")
    assert plan[:2] == [
        ["Which way to combine the votes is best", "150", "not enough here"],
        ["How many labels are right, to about ± 4 points", "300", "not enough here"],
    ]


def test_the_run_s_own_target_is_among_the_plans(client, project, run):
    Run.objects.filter(pk=run.pk).update(target_error=8)
    assert "That at most 8% of the accepted labels are wrong, if in truth 4% are" in page(client, project)


def test_one_button_draws_an_audit(client, project, run):
    answer = client.post(url(project, "draw", number=run.number), {"count": 30})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{url(project)}?run=1")
    assert Audit.objects.get().drawn == 30
    html = page(client, project)
    assert "30 texts are drawn." in html
    waiting = ReviewItem.objects.filter(state="open").count()
    assert waiting > 100
    assert f"0 of 30 · {word_duration(10 * waiting)} left" in html
    assert f"the time left is that of all {waiting} answers that the queue takes." in html
    assert "10 texts can be drawn." in html


@pytest.mark.parametrize("count", ["", "0", "x", "41"])
def test_what_cannot_be_drawn_is_said_at_the_field(client, project, run, count):
    answer = client.post(url(project, "draw", number=run.number), {"count": count}, headers=HTMX)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert ('<div id="draw">' in html, "<html" in html, 'aria-invalid="true"' in html) == (True, False, True)
    assert not Audit.objects.exists()


def test_without_scripts_a_refusal_is_a_page(client, project, run):
    answer = client.post(url(project, "draw", number=run.number), {"count": 41})
    assert answer.status_code == 422
    assert "Only 40 texts are left to draw." in answer.content.decode()


def test_what_waits_can_be_taken_back(client, project, manager, run):
    make_audit(run.dataset, drawn=20, answered=6, by=manager)
    waiting = ReviewItem.objects.filter(run=None, state="open").count()
    client.post(url(project, "act", number=run.number, verb="withdraw"))
    html = page(client, project)
    assert f"{waiting} texts left the queue." in html
    assert f"{20 + waiting} texts can be drawn." in html


def test_hours_follow_the_project_s_pace(client, project, manager, run):
    make_audit(run.dataset, drawn=20, answered=6, by=manager)
    html = page(client, project)
    waiting = ReviewItem.objects.filter(state="open").count()
    assert f"6 of 20 · {word_duration(6 * waiting)} left" in html
    assert "Hours are counted with 6.0 s an answer, the pace of this project." in html


def test_measuring_needs_an_answer(client, project, run):
    make_audit(run.dataset)
    client.post(url(project, "act", number=run.number, verb="measure"))
    assert "No drawn text has an answer yet" in page(client, project)


def test_measuring_is_live(client, project, manager, run):
    make_audit(run.dataset, answered=4, by=manager)
    client.post(url(project, "act", number=run.number, verb="measure"))
    html = page(client, project)
    assert f'data-live-topic="assess:{run.pk}"' in html
    assert "Measuring now" in html
    assert "Measure now" not in html


def test_a_page_at_rest_asks_again_only_while_answers_may_come(client, project, manager, run):
    assert "every 30s" not in page(client, project)
    make_audit(run.dataset, drawn=5, by=manager)
    assert "every 30s" in page(client, project)


def test_what_is_right_stands_with_its_interval(client, project, run):
    make_assessment(run)
    html = page(client, project)
    assert rows(html, "Right labels with their 95% interval") == [
        ["Accepted labels no person saw them", "89.1%", "84.3% to 92.6%", "221"],
        ["Reviewed labels where a second answer tells", "93.4%", "85.0% to 97.2%", "64"],
        ["All labels the two, by how many rows each has", "90.2%", "86.3% to 93.1%", "300"],
    ]
    assert 'x1="21.50%" x2="63.00%"' in html  # 84.3% to 92.6% on a line from 80% to 100%
    assert "Up to date" not in html  # no draw holds the 300 answers that it speaks of


@pytest.mark.parametrize("change", ["nothing", "undo", "another answer"])
def test_an_answer_taken_back_or_changed_is_told_beside_what_it_certified(client, project, manager, run, change):
    make_audit(run.dataset, drawn=10, answered=7, by=manager)
    make_assessment(run, answered=7)
    if change == "undo":
        undo(project=project, user_id=manager.pk, client_id=uuid4())
    if change == "another answer":
        answer_items(audit_items(run.dataset, "decided")[:1], manager, "positive")
    said, is_old = texts(page(client, project)), change != "nothing"
    assert ("Up to date" in said, "Older than the newest answers or pool" in said) == (not is_old, is_old)
    assert ("1 answer was taken back or changed since" in said, "Measure again before" in said) == (is_old, is_old)
    assert ("1 answer came in since" in said) == (change == "another answer")


def test_what_changed_while_it_was_measured_is_told(client, project, manager, run):
    """It is older than the assessment, which read the answers before."""
    read_at = timezone.now()
    make_audit(run.dataset, drawn=10, answered=7, by=manager)
    make_assessment(run, figures=make_figures(run, read_at=read_at.isoformat()), answered=7)
    assert "7 answers were taken back or changed since" in texts(page(client, project))


def test_what_is_not_measured_is_no_number(client, project, run):
    make_assessment(run, figures=make_figures(run, reviewed=NOTHING))
    assert rows(page(client, project), "Right labels with their 95% interval")[1][1:] == ["–", "", "0"]


def test_figures_older_than_answers_or_pool_say_so(client, project, manager, run):
    make_audit(run.dataset, drawn=10, answered=7, by=manager)
    make_assessment(run, answered=4)
    PoolGeneration.objects.create(run=run, number=1)
    Run.objects.filter(pk=run.pk).update(generation=1)
    said = texts(page(client, project))
    assert "3 answers came in since" in said
    assert "with generation 0 of the pool; generation 1 votes now" in said


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        # 10% of 93%, and 7% times 3 of 60, at most 12.4%: 9.3 + 0.9
        ((Second("person", 1.0, 3, 60),), "All labels, the rest reviewed as now: at most 10.2% are wrong (90%)"),
        (
            (Second("person", 1.0, 0, 0),),
            "All labels: at most 9.3% are wrong, if the 7.0% are right that nobody has measured (95%)",
        ),
        (
            (Second("model", 0.5, 3, 60), Second("person", 0.5, 0, 0)),
            "All labels: at most 9.7% are wrong, if the 3.5% are right that nobody has measured (90%)",
        ),
    ],
)
def test_a_certificate_says_what_it_means_for_all_labels(client, project, run, seconds, told):
    make_assessment(run, figures=make_figures(run, seconds=seconds))
    reached, *_others = rows(page(client, project), "Certificates")
    assert reached[2].startswith(f"About 93.0% of the different texts; at most 10% of these are wrong {told}")


def test_an_assessment_from_before_says_nothing_of_all_labels(client, project, run):
    made = make_assessment(run)
    del made.figures["seconds"]
    made.save()
    html = page(client, project)
    assert ("About 93.0% of the different texts" in html, "All labels:" in html) == (True, False)
    assert "Each line holds with 95% confidence alone" in html


def test_race_and_certificates_tell_the_texts_that_they_rest_on(client, project, run):
    """Not all that are answered: those of a later draw wait until it is finished."""
    make_assessment(run, figures=make_figures(run, fit_rows=150, certify_rows=290))
    said = texts(page(client, project))
    assert "Cross-validated on the 104 answered texts that only fit" in said
    assert "Certified on the 196 answered texts of finished draws that nothing was fitted to." in said


def test_the_confusion_of_each_specialist_is_a_shaded_table(client, project, run):
    make_assessment(run)
    html = page(client, project)
    assert rows(html, "Confusion of model-0 v1") == [
        ["negative", "82", "9", "3", "0"],
        ["neutral", "14", "61", "11", "2"],
        ["positive", "6", "12", "96", "4"],
    ]
    assert '<td class="heat heat-8 heat-right">82</td><td class="heat heat-1">9</td>' in html
    assert html.count("At chance") == 1


def test_confidence_and_history_stand_there_as_tables(client, project, run):
    make_assessment(run, figures=make_figures(run, overall=Share(0.8, 0.7, 0.9, 80), answered=80))
    make_assessment(run)
    html = page(client, project)
    assert rows(html, "What a confidence is worth")[0] == ["46%", "50.0%", "46.0%", "12"]
    assert [row[:4] for row in rows(html, "Right labels, assessment by assessment")] == [
        ["1", "80.0%", "89.1%", "80"],
        ["2", "90.2%", "89.1%", "300"],
    ]


def test_agreement_has_a_value_or_a_reason(client, project, run):
    make_assessment(run)
    assert rows(page(client, project), "Agreement between people") == [
        ["Cohen&#x27;s kappa", "0.71", "0.58 to 0.82", "64", "2"],
        ["Krippendorff&#x27;s alpha", "0.69", "0.55 to 0.80", "64", "3"],
        ["Fleiss&#x27; kappa", "–", "Undefined: no text has the answers of two people", "0", "3"],
    ]


def test_where_nobody_shares_a_text_one_sentence_says_so(client, project, run):
    nobody = tuple(AgreementFigure(kind, None, None, None, 0, 1, "one_rater") for kind in ("cohen", "krippendorff"))
    make_assessment(run, figures=make_figures(run, agreement=nobody))
    assert "Undefined: only one person has answered. It is measured where two" in page(client, project)


def test_before_a_draw_is_answered_whole_nothing_is_certified(client, project, run):
    make_assessment(run).certificates.all().delete()
    assert "a draw certifies once every text of it is answered" in page(client, project)


def test_certificates_say_that_they_are_about_another_way(client, project, run):
    make_assessment(run)
    assert "For labels combined by the race's winner, Logistic stacker, which is not in use yet." in page(
        client, project
    )


def test_warnings_are_sentences(client, project, run):
    make_assessment(run)
    assert "model-2 is right on 36.0% of the audited texts: no more than chance." in page(client, project)


def test_several_runs_are_tabs(client, project, run):
    make_assessment(run)
    make_run(make_dataset(project, ["one", "two"]))
    assert "No text is kept apart" in page(client, project)
    html = page(client, project, f"?run={run.number}")
    assert "89.1%" in html
    assert "Run 2" in texts(html)
    assert "No text is kept apart" in page(client, project, "?run=77")


def test_a_stranger_s_assessment_is_on_no_other_page(client, project, run):
    other = make_project(make_user())
    make_assessment(make_pooled_run(other, make_versions(other)))
    assert "89.1%" not in page(client, project)


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_queries_however_often_measured(
    client, project, manager, run, count, django_assert_num_queries
):
    make_audit(run.dataset, drawn=6 * count, answered=2 * count, by=manager)
    for _number in range(count):
        make_assessment(run)
    make_measuring(run)
    client.get(url(project))
    with django_assert_num_queries(24):
        client.get(url(project), headers=HTMX)


def test_what_was_taken_back_is_said_where_nothing_waits(client, project):
    run = make_run(make_dataset(project, [f"text {n}" for n in range(60)]), hard=set())
    make_audit(run.dataset, drawn=12)
    client.post(url(project, "act", number=run.number, verb="withdraw"))
    assert "The next draw brings them back first." in page(client, project)
