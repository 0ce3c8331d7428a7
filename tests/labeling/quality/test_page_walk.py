"""An audit as a manager walks through it: drawn by a button, answered blind, measured by a worker, told on the page."""

import re

import pytest
from django.urls import reverse

from labeling.quality.models import Assessment
from labeling.runs.actions import start_run
from labeling.runs.policies import Policy
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, make_framed

pytestmark = pytest.mark.django_db


def said(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_an_audit_is_drawn_answered_measured_and_told(client, tmp_path):
    user = make_user()
    project = make_project(user)
    versions = make_pool(project, tmp_path)
    dataset = make_framed(project, texts=100)
    run = start_run(project=project, dataset=dataset, versions=versions, policy=Policy(min_agree=2), by=user)
    work_off()
    client.force_login(user)
    home = reverse("quality:page", kwargs={"slug": project.slug})
    assert "Draw an audit" in said(client.get(home))
    client.post(f"{home}/{run.number}/draw", {"count": 18})
    answer_items(audit_items(dataset), user)
    assert "18 of 18" in said(client.get(home))
    work_off()
    assert Assessment.objects.get().answered == 18
    told = said(client.get(home))
    assert "Run 1, measured on 18 answered texts" in told
    assert "The race needs 50 of them." in told
    assert "Up to date" in told
