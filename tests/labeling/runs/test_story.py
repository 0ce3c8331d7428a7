import pytest

from labeling.runs.models import PoolMember
from labeling.runs.story import hard_share_cause, member_rows, split_of
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def run_with_members(tmp_path):
    from labeling.runs.actions import start_run
    from labeling.runs.policies import Policy
    from labeling.runs.queries import pool_of

    project = make_project(make_user())
    versions = make_pool(project, tmp_path)
    run = start_run(
        project=project, dataset=make_dataset(project, ["a"] * 5), versions=versions, policy=Policy(3), by=None
    )
    run.row_count, run.accepted, run.hard, run.decided = 1000, 600, 400, 100
    return run, pool_of(run)


def counted(member: PoolMember, agreed, abstained=0):
    member.voted, member.abstained, member.agreed, member.seconds = 1000 - abstained, abstained, agreed, 10.0
    return member


def test_the_bar_adds_up_to_all_rows(run_with_members):
    run, _members = run_with_members
    assert [part.count for part in split_of(run)] == [600, 100, 300]


def test_a_line_shows_shares_and_speed(run_with_members):
    row = member_rows([counted(run_with_members[1][0], 450, 100)])[0]
    assert (row.agreed_share, row.abstained_share, row.speed) == (0.5, 0.1, 100.0)


def test_many_hard_rows_are_explained_by_the_weakest_specialist(run_with_members):
    run, members = run_with_members
    for member, agreed in zip(members, (950, 900, 400), strict=True):
        counted(member, agreed)
    assert "fake-2 agrees with the others hardly more often than chance" in hard_share_cause(run, members)


def test_many_hard_rows_are_explained_by_a_silent_specialist(run_with_members):
    run, members = run_with_members
    for member in members:
        counted(member, 90, 10)
    counted(members[1], 90, 900)
    assert "fake-1 abstains on most rows" in hard_share_cause(run, members)


def test_many_hard_rows_of_sound_specialists_mean_another_domain(run_with_members):
    run, members = run_with_members
    for member in members:
        counted(member, 800)
    assert "another kind of text" in hard_share_cause(run, members)


def test_few_hard_rows_need_no_word(run_with_members):
    run, members = run_with_members
    run.accepted, run.hard = 900, 100
    assert hard_share_cause(run, members) == ""
