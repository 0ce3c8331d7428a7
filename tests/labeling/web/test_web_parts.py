"""Every part draws what it is given, and escapes it."""

import re
from types import SimpleNamespace

import pytest
from django import forms

from labeling.web.parts import FlowStep, SplitPart, Tab, draw_parts

HOSTILE = """"'><img src=x onerror=alert(1)>"""
ESCAPED = "&quot;&#x27;&gt;&lt;img src=x onerror=alert(1)&gt;"

WORDS = ("value", "low", "high", "scale")
TAGS = {
    "tag_class": "{% tag_class hostile 3 key=hostile data_name=hostile %}",
    "class_button": "{% class_button hostile 3 key=hostile description=hostile value=hostile %}",
    "button": "{% button hostile kind=hostile name=hostile hx_post=hostile %}",
    "link_button": "{% link_button hostile hostile %}",
    "copy_button": "{% copy_button hostile hostile %}",
    "status": "{% status hostile %}",
    "kbd": "{% kbd hostile %}",
    "stat": "{% stat hostile hostile hint=hostile href=hostile %}",
    "meter": "{% meter 1 2 label=hostile rate=3 unit=hostile %}",
    "split_bar": "{% split_bar parts label=hostile %}",
    "flow": "{% flow steps label=hostile %}",
    "tabs": "{% tabs items label=hostile %}",
    "pager": "{% pager newer=hostile older=hostile note=hostile %}",
    "page_header": "{% page_header hostile hint=hostile back_url=hostile back_label=hostile %}{% endpage_header %}",
    "panel": "{% panel hostile hint=hostile id=hostile %}{{ hostile }}{% endpanel %}",
    "callout": "{% callout 'bad' title=hostile %}{{ hostile }}{% endcallout %}",
    "empty_state": "{% empty_state hostile icon=hostile %}{{ hostile }}{% endempty_state %}",
    "table": "{% table caption=hostile %}<tr><td>{{ hostile }}</td></tr>{% endtable %}",
    "dialog": "{% dialog hostile hostile %}{{ hostile }}{% enddialog %}",
    "icon": "{% icon hostile %}",
}


@pytest.mark.parametrize("name", TAGS)
def test_hostile_text_is_escaped(draw, name):
    context = {
        "hostile": HOSTILE,
        "parts": [SplitPart(HOSTILE, 1, "review", HOSTILE)],
        "steps": [FlowStep(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        "items": [Tab(HOSTILE, HOSTILE)],
    }
    html = draw(TAGS[name], **context)
    assert "<img" not in html
    assert ESCAPED in html


def test_block_body_is_drawn_as_template(draw):
    assert "<b>2</b>" in draw("{% panel 'Votes' %}<b>{{ count }}</b>{% endpanel %}", count=2)


def test_tag_class_repeats_its_slots(draw):
    assert "class-slot-1 " not in draw("{% tag_class 'a' 25 %}")
    assert 'class="tag class-slot-1"' in draw("{% tag_class 'a' 25 %}")


def test_button_attributes(draw):
    html = draw("{% button 'Go' hx_post='/x' disabled=True data_confirm='' %}")
    assert 'hx-post="/x"' in html
    assert " disabled" in html
    assert "data-confirm" not in html


def test_button_without_label_is_named(draw):
    html = draw("{% button '' icon='close' aria_label='Close' %}")
    assert 'aria-label="Close"' in html
    assert "button-icon" in html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% meter 25 100 label='V' %}", 'value="0.2500" max="1"'),
        ("{% meter 150 100 label='V' %}", 'value="1.0000" max="1"'),
        ("{% meter 3.5 10.5 label='V' %}", 'value="0.3333" max="1"'),
    ],
)
def test_meter_share(draw, text, expected):
    assert expected in draw(text)


@pytest.mark.parametrize("text", ["{% meter 25 None label='V' %}", "{% meter 0 0 label='V' %}"])
def test_meter_without_total_is_indeterminate(draw, text):
    assert "value=" not in draw(text)


def test_meter_names_rate_and_rest(draw):
    html = " ".join(draw("{% meter 4210 12268 label='Votes' rate=412.4 unit='rows/s' eta_s=1180 %}").split())
    assert "4,210 of 12,268 · 412 rows/s · about 20 min left" in html


def test_split_parts_fill_the_bar():
    drawn = draw_parts([SplitPart("a", 1, "accepted"), SplitPart("b", 3, "review")])
    assert [(part.x, part.width) for part in drawn] == [("0.000%", "25.000%"), ("25.000%", "75.000%")]


def test_split_parts_of_nothing_are_empty():
    assert [part.width for part in draw_parts([SplitPart("a", 0, "accepted")])] == ["0.000%"]


def interval(draw, *values):
    """The places (x in percent) of an interval's ends and of its dot."""
    html = draw("{% load charts %}{% interval value low high scale %}", **dict(zip(WORDS, values, strict=True)))
    return [float(place) for place in re.findall(r'(?:x1|x2|cx)="([0-9.]+)%"', html)][1:]


def test_an_interval_is_drawn_on_its_scale(draw):
    assert interval(draw, 0.8, 0.7, 0.95, (0.6, 1.0)) == [25.0, 87.5, 50.0]


def test_an_interval_never_leaves_its_scale(draw):
    assert interval(draw, 0.8, 0.1, 0.95, (0.6, 0.9)) == [0.0, 100.0, 66.67]


def test_an_interval_of_nothing_is_its_empty_scale(draw):
    assert interval(draw, None, 0.0, 1.0, (0.0, 1.0)) == []


def test_pager_without_pages_is_nothing(draw):
    assert draw("{% pager newer=None older=None %}").strip() == ""


class _Form(forms.Form):
    name = forms.CharField(help_text="Shown to <all>.")
    mode = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    is_on = forms.BooleanField(required=False)
    secret = forms.CharField(widget=forms.HiddenInput)


def test_field_ties_help_and_error_to_the_control(draw):
    form = _Form({})
    html = draw("{% field form.name placeholder='Mails' %}", form=form)
    assert 'aria-describedby="id_name-error id_name-help"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name-error"' in html
    assert "Shown to &lt;all&gt;." in html
    assert 'placeholder="Mails"' in html


def test_field_of_choices_is_a_fieldset(draw):
    html = draw("{% field form.mode %}", form=_Form())
    assert html.count("<fieldset") == html.count("</fieldset>") == html.count("<legend") == 1


def test_form_fields_draw_all_fields_and_errors(draw):
    form = _Form({})
    form.add_error(None, HOSTILE)
    html = draw("{% form_fields form %}", form=form)
    assert ESCAPED in html
    assert [name in html for name in ('name="name"', 'name="mode"', 'name="is_on"', 'name="secret"')] == [True] * 4


def test_upload_field_knows_its_limit(draw):
    class Upload(forms.Form):
        file = forms.FileField()

    html = draw("{% upload_field form.file max_bytes=limit accept='.csv' %}", form=Upload(), limit=2_000_000)
    assert 'data-max-bytes="2000000"' in html
    assert 'accept=".csv"' in html


def test_project_nav_hides_managers_pages_and_missing_routes(draw, rf):
    project = SimpleNamespace(slug="demo", name=HOSTILE)
    html = draw("{% project_nav %}", project=project, request=rf.get("/"), can_manage=False)
    assert "Members" not in html
    assert "<img" not in html
