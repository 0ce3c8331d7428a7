"""Agreement between people on the quality page: its interval, or why there is none."""

import re

import pytest
from django.urls import reverse

from labeling.quality.figures import AgreementFigure
from tests.labeling.factories import make_project, make_user
from tests.labeling.quality.made_assessments import frame, make_assessment, make_figures
from tests.labeling.refinement.made_rounds import make_pooled_run, make_versions

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("low", "high", "texts", "words"),
    [
        (None, None, 29, "too few texts"),
        (0.2, 1.0, 29, "too few texts"),
        (None, None, 30, "unknown: the same on all texts"),
        (1.0, 1.0, 400, "unknown: the same on all texts"),
        (0.2, 1.0, 30, "0.20 to 1.00"),
    ],
)
def test_an_interval_stands_where_it_says_something(client, low, high, texts, words):
    """Also of an assessment that is older than this rule."""
    project = make_project(make_user())
    client.force_login(project.created_by)
    run = make_pooled_run(project, make_versions(project), texts=200)
    frame(run.dataset)
    figure = AgreementFigure("cohen", 1.0, low, high, texts, 2, "")
    make_assessment(run, figures=make_figures(run, agreement=(figure,)))
    html = client.get(reverse("quality:page", kwargs={"slug": project.slug})).content.decode()
    table = html.split(">Agreement between people</caption>")[1].split("</table>")[0]
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table)]
    assert cells == ["1.00", words, str(texts), "2"]
