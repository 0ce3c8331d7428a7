"""What the figures of the quality page draw."""

import pytest

from labeling.quality.figures import CalibrationBin, Confusion, Share
from labeling.quality.planner import certificate_rows, half_width
from labeling.quality.plots import calibration_points, heat_maps, scale_of, step_of

NOTHING = Share(None, 0.0, 1.0, 0)
RIGHT = Share(0.75, 0.6, 0.9, 8)


@pytest.mark.parametrize(
    ("shares", "scale"),
    [
        ([Share(0.9, 0.84, 0.93, 9), Share(0.8, 0.71, 0.88, 9)], (0.7, 1.0)),
        ([Share(0.95, 0.94, 0.96, 9), NOTHING], (0.8, 1.0)),
        ([Share(0.05, 0.02, 0.11, 9)], (0.0, 0.2)),
        ([NOTHING], (0.0, 1.0)),
    ],
)
def test_a_scale_has_room_for_all_intervals(shares, scale):
    assert scale_of(shares) == pytest.approx(scale)


@pytest.mark.parametrize(("count", "step"), [(0, 0), (1, 1), (11, 1), (12, 2), (50, 5), (100, 9)])
def test_a_shade_is_the_share_of_its_row(count, step):
    assert step_of(count, 100) == step


def test_a_row_without_texts_has_no_shade():
    assert step_of(0, 0) == 0


def test_a_heat_map_names_rows_and_columns():
    (drawn,) = heat_maps([Confusion(1, "courier", ((3, 1, 0), (0, 4, 0)), RIGHT, False)], [7, 9], {7: "good"})
    assert (drawn.heads, drawn.has_abstained) == (("good", "#9"), False)
    assert [(row.name, row.rows, row.right) for row in drawn.rows] == [("good", 4, 0.75), ("#9", 4, 1.0)]
    assert [(cell.count, cell.step, cell.is_right) for cell in drawn.rows[0].cells] == [(3, 7, True), (1, 3, False)]


def test_abstentions_have_a_column_where_there_are_any():
    (drawn,) = heat_maps([Confusion(1, "courier", ((3, 0, 1), (0, 0, 0)), RIGHT, False)], [7, 9], {})
    assert [len(row.cells) for row in drawn.rows] == [3, 3]
    assert drawn.rows[1].right is None


def test_calibration_is_drawn_by_confidence_with_wilson_s_interval():
    bins = [CalibrationBin(0.9, 1.0, 10, 0.95, 0.9), CalibrationBin(0.5, 0.6, 0, 0.0, 0.0)]
    bins.append(CalibrationBin(0.4, 0.5, 4, 0.45, 0.5))
    points = calibration_points(bins)
    assert [(one.confidence, one.rows) for one in points] == [(0.45, 4), (0.95, 10)]
    # Wilson 1927 for 9 of 10: 0.5958 to 0.9821
    assert (points[1].low, points[1].high) == pytest.approx((0.5958, 0.9821), abs=1e-4)


def test_a_plan_counts_the_fitting_third_and_the_rows_that_people_see():
    # 629 at 95%; the first of all looks has 97%, the second 99%
    assert [certificate_rows(5.0, 2.0, 1.0, look) for look in (1, 2)] == [717, 935]
    assert certificate_rows(5.0, 2.0, 0.5, 1) == 1_503
    assert certificate_rows(5.0, 5.0, 1.0, 1) is None


def test_three_hundred_texts_tell_the_accuracy_to_four_points():
    assert half_width(300) == pytest.approx(4.04, abs=0.01)
