"""Figures and times in words."""

from datetime import UTC, datetime, timedelta

import pytest

from labeling.web.wording import word_duration, word_moment, word_money, word_number, word_percent, word_time_ago

NOW = datetime(2026, 11, 21, 3, 47, 12, tzinfo=UTC)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (12_268, "12,268"), (999.6, "1,000"), (None, "–")])
def test_number(value, text):
    assert word_number(value) == text


@pytest.mark.parametrize(("share", "text"), [(0.244, "24.4%"), (0, "0.0%"), (1, "100.0%"), (None, "–")])
def test_percent(share, text):
    assert word_percent(share) == text


def test_percent_is_rounded_not_cut():
    assert word_percent(0.756, 0) == "76%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.2, "under 1 s"),
        (40, "40 s"),
        (59.7, "about 1 min"),
        (118, "about 2 min"),
        (3599, "about 1 h"),
        (6000, "about 1 h 40"),
        (7500, "about 2 h 05"),
        (100 * 3600, "about 4 d 4 h"),
        (96 * 3600, "about 4 d"),
    ],
)
def test_duration(seconds, text):
    assert word_duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-0.5), "just now"),
        (timedelta(seconds=-30), "in a moment"),
        (timedelta(seconds=50), "1 min ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=4), "4 days ago"),
        (timedelta(days=60), "22 Sep 2026"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_time_ago(ago, text):
    assert word_time_ago(NOW - ago, NOW) == text


def test_moment_is_exact():
    assert word_moment(NOW) == "21 Nov 2026, 03:47:12 UTC"


def test_timeago_tag(draw):
    html = draw("{% timeago moment %}|{% timeago nothing %}", moment=NOW, nothing=None)
    assert 'datetime="2026-11-21T03:47:12+00:00"' in html
    assert 'title="21 Nov 2026, 03:47:12 UTC"' in html
    assert html.rstrip().endswith("–")


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (None, "–"),
        (0, "$0.00"),
        (45_000, "$0.000045"),
        (1, "$0.000000001"),
        (12_345_678, "$0.012"),
        (50_000_000, "$0.050"),
        (500_000_000, "$0.50"),
        (1_234_500_000_000, "$1,234.50"),
        (-250_000_000, "-$0.25"),
    ],
)
def test_money_has_two_figures_at_least(nano, text):
    assert word_money(nano) == text
