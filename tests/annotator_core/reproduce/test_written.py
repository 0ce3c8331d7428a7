from math import nan
from xml.etree import ElementTree as ET

import pytest

from annotator_core.errors import BadInput
from annotator_core.reproduce.costs import PRICES, read_prices
from annotator_core.reproduce.intervals import Mean, average, share_of_rows
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.plot import Row, draw_dots


def test_means_have_intervals_where_there_is_more_than_one_value():
    assert average([0.5, nan]).tell() == "50.0"
    assert average([]).tell() == "-"
    assert average([0.4, 0.6]).tell() == "50.0 (-77.1 to 177.1)"
    assert share_of_rows(0.8, 10).tell() == "80.0 (49.0 to 94.3)"


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells under 2"):
        write_table(["a", "b"], [["1"]])
    assert percent(0.5, 0) == "50"


def test_a_plot_is_xml_with_a_dot_a_value_and_escaped_names():
    rows = [
        Row("a <b>", (Mean(0.5, 0.4, 0.6), Mean(nan, nan, nan))),
        Row("c", (Mean(2.0, nan, nan), Mean(0.1, 0.1, 0.2))),
    ]
    drawn = draw_dots("t & u", ["one", "two"], rows, low=0.0, high=1.0, marks=(0.7,))
    circles = [each for each in ET.fromstring(drawn).iter() if each.tag.endswith("circle")]
    assert len(circles) == 2 + 3


def test_prices_come_from_a_file(tmp_path):
    assert read_prices(None) is PRICES
    (tmp_path / "p.json").write_text('{"m": {"in": 1, "out": 2, "date": "May"}}')
    assert read_prices(tmp_path / "p.json")["m"].per_million_out == 2.0
    (tmp_path / "p.json").write_text('{"m": 1}')
    with pytest.raises(BadInput, match="no price table"):
        read_prices(tmp_path / "p.json")
