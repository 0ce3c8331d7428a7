import pytest

from labeling.runs.models import PoolGeneration, PoolMember, RunState, VoteAhead
from labeling.runs.story import (
    generation_rows,
    hard_share_cause,
    is_waiting_for_pool,
    member_rows,
    split_of,
    story_of,
)
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


def open_next(run, origin="round", new=(), **fields):
    """The next generation: the pool of before, with these versions in the first places."""
    last = run.generations.latest("number")
    generation = PoolGeneration.objects.create(run=run, number=last.number + 1, origin=origin, **fields)
    old = [member.version for member in last.members.all()]
    for position, version in enumerate([*new, *old[len(new) :]]):
        PoolMember.objects.create(generation=generation, version=version, position=position)
    run.generation = generation.number
    run.save()
    return generation


def refined_version(version):
    version.pk, version.number = None, version.number + 1
    version.save()
    return version


def test_a_generations_line_names_what_is_new(run_with_members):
    run, members = run_with_members
    open_next(run, new=[refined_version(members[0].version)], round_number=4)
    open_next(run, "rollback")
    rows = generation_rows(run.generations.all())
    assert [(row.generation.number, row.why, row.new) for row in rows] == [
        (2, "Rolled back", []),
        (1, "Round 4", ["fake-0 v2"]),
        (0, "The run began", ["fake-0 v1", "fake-1 v1", "fake-2 v1"]),
    ]


def test_the_story_tells_what_a_round_changed(run_with_members):
    run, members = run_with_members
    figures = {"voted_again": 1200, "taken_off": 300, "renewed": 5000, "relabeled": 70}
    open_next(run, new=[refined_version(members[0].version)], round_number=4, **figures)
    newest = story_of(run, None, generation_rows(run.generations.all()))[0]
    assert newest.text == (
        "Round 4: fake-0 v2 took over. 1,200 open rows voted again, 300 left the queue. "
        "5,000 accepted rows voted again, 70 got another label."
    )


def test_the_story_tells_how_an_audit_has_votes_combined(run_with_members):
    run, _members = run_with_members
    run.target_error = 5
    winner = {"name": "dawid_skene"}
    open_next(run, "audit", aggregation=winner, renewed=40, relabeled=3)
    open_next(run, "audit", aggregation=winner, cut_score=0.5)
    open_next(run, "audit", aggregation=winner)
    rows = generation_rows(run.generations.all())
    why = "The audit changed how votes are combined:"
    assert [(row.new, row.combined) for row in rows[:3]] == [([], ""), ([], ""), ([], "Dawid-Skene")]
    assert [line.text for line in story_of(run, None, rows)[:3]] == [
        f"{why} The certificate is lost: people see every disagreement again.",
        f"{why} The certificate covers other rows now.",
        f"{why} Votes are combined by Dawid-Skene. 40 accepted rows voted again, 3 got another label.",
    ]


def test_many_hard_rows_under_a_target_error_need_no_word(run_with_members):
    run, members = run_with_members
    run.target_error = 5
    assert hard_share_cause(run, [counted(member, 800) for member in members]) == ""


def test_the_story_tells_of_a_round_that_changed_nothing(run_with_members):
    run, _members = run_with_members
    open_next(run, round_number=1)
    assert story_of(run, None, generation_rows(run.generations.all()))[0].text == (
        "Round 1: Nobody was promoted; the pool stays."
    )


def test_votes_that_stopped_at_a_full_pool_are_told_apart(run_with_members):
    run, _members = run_with_members
    run.state, run.voted = RunState.REVIEWING, 400
    states = []
    for run.vote_ahead in (VoteAhead.POOL, VoteAhead.ALL):
        states.append(is_waiting_for_pool(run))
    assert states == [True, False]
