"""What a plan of an audit says of the work: all answers that people give for it, and those before its last one."""

from dataclasses import replace

import pytest

from labeling.quality.figures import Figures, Share
from labeling.quality.models import Certificate
from labeling.quality.planner import Pace, plan_of, texts_left
from labeling.quality.queries import AuditProgress
from labeling.runs.models import Run

NOTHING_DRAWN = AuditProgress(drawn=0, answered=0, waiting=0, left=2_000, answered_at=())

NOTHING = Share(None, 0.0, 1.0, 0)
EMPTY = Figures((), 0, 0, 0, 0, 0, NOTHING, NOTHING, NOTHING, (), "", (), (), None, (), ())


def plan(*, people=1, queued=0, look=1):
    run = Run(accepted=7_000, hard=3_000)
    return plan_of(run, NOTHING_DRAWN, Pace(5.0, is_measured=True, people=people, queued=queued), look=look)


@pytest.mark.parametrize("people", [1, 2])
def test_each_text_takes_the_answers_of_all_who_are_to_give_one(people):
    assert [(goal.rows, goal.seconds) for goal in plan(people=people).goals[:2]] == [
        (150, 750 * people),
        (300, 1_500 * people),
    ]


def test_a_promise_takes_more_texts_at_every_look():
    words = "That at most 5% of the accepted labels are wrong, if in truth 2% are"
    first, second, third = ([goal.rows for goal in plan(look=look).goals if goal.text == words] for look in (1, 2, 3))
    assert (first, second, third) == ([975], [1_272], [1_440])


@pytest.mark.parametrize(
    ("rows_used", "left"),
    [(196, 900), (98, 1_050), (0, 1_200)],
)
def test_what_is_left_are_the_texts_that_a_certificate_has_not_used(rows_used, left):
    """300 of 1,200 texts are answered, 196 of them may certify; of an unfinished draw none has certified yet."""
    figures = replace(EMPTY, frame_texts=1_200, answered=300, certify_rows=196)
    assert texts_left(figures, Certificate(rows_used=rows_used)) == left
    assert texts_left(replace(figures, certify_rows=0, answered=0), Certificate(rows_used=0)) == 1_200
    assert texts_left(replace(figures, frame_texts=299), Certificate(rows_used=196)) == 0


@pytest.mark.parametrize(
    ("people", "own", "most"),
    [(1, "300 answers, about 25 min", "3,200, about 4 h 27"), (2, "600 answers, about 50 min", "3,500, about 4 h 52")],
)
def test_a_draw_is_whole_when_the_queue_before_its_last_text_is_answered(people, own, most):
    assert plan(people=people).proposed_words == f"300 texts take {own}."
    late = f"Until the last one is answered people give up to {most}: the texts wait among all others."
    assert plan(people=people, queued=2_900).proposed_words == f"300 texts take {own}. {late}"


@pytest.mark.parametrize(
    ("people", "queued", "more", "late"),
    [
        (1, 0, "", ""),
        (3, 0, " 3 people answer each text, and a reviewer where they differ, which is not counted.", ""),
        (1, 1, "", "The 1 answer that the queue takes comes on top: a draw certifies once its last text is answered."),
    ],
)
def test_the_prices_say_what_they_rest_on(people, queued, more, late):
    found = plan(people=people, queued=queued)
    told = found.pace_words
    assert found.queue_words == late
    assert told == f"Hours are counted with 5.0 s an answer, the pace of this project.{more}"
