"""The parts of a page as template tags: docs/components.md shows how each is written.

Extra keyword arguments of a control become attributes: `hx_post=url` is written `hx-post="..."`, escaped.
"""

from datetime import datetime
from typing import Any

from django import template
from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.templatetags.static import static

from labeling import __version__
from labeling.web import wording
from labeling.web.fields import draw_field, plain
from labeling.web.navigation import project_tabs
from labeling.web.parts import FlowStep, SplitPart, Tab, draw_parts

register = template.Library()
SLOTS = 24  # look.md: slots repeat after 24
CALLOUT_ICONS = {"good": "check", "attention": "alert", "bad": "alert", "info": "info"}
FLOW_ICONS = {"done": "check", "attention": "alert"}


def attributes(extra: dict[str, Any]) -> str:
    """HTML attributes of the keyword arguments, escaped; None, False and "" leave one out."""
    kept = {name: value for name, value in extra.items() if value not in (None, False, "")}
    return flatatt({name.strip("_").replace("_", "-"): plain(value) for name, value in kept.items()})


@register.simple_tag
def number(value: float | None, digits: int = 0) -> str:
    """12,268."""
    return wording.word_number(value, digits)


@register.simple_tag
def percent(share: float | None, digits: int = 1) -> str:
    """24.4% for the share 0.244."""
    return wording.word_percent(share, digits)


@register.simple_tag
def money(nano: int | None) -> str:
    """$12.50 for 12,500,000,000 nano-dollars; cheaper things with two figures: $0.012."""
    return wording.word_money(nano)


@register.simple_tag
def duration(seconds: float | None) -> str:
    """Such as "about 1 h 40"."""
    return wording.word_duration(seconds)


@register.simple_tag
def version() -> str:
    """The product's version."""
    return __version__


@register.inclusion_tag("components/timeago.html")
def timeago(moment: datetime | None) -> dict[str, Any]:
    """Such as "3 min ago" with the exact time on hover; a dash for None."""
    if moment is None:
        return {"text": wording.NOTHING}
    return {"iso": moment.isoformat(), "exact": wording.word_moment(moment), "text": wording.word_time_ago(moment)}


@register.inclusion_tag("components/icon.html")
def icon(name: str) -> dict[str, Any]:
    """A decorative drawing of static/icons.svg."""
    return {"href": f"{static('icons.svg')}#{name}"}


@register.inclusion_tag("components/kbd.html")
def kbd(key: str) -> dict[str, Any]:
    """A key of the keyboard."""
    return {"key": key}


@register.inclusion_tag("components/status.html")
def status(label: str, kind: str = "quiet", *, busy: bool = False) -> dict[str, Any]:
    """A state with a dot: good, attention, bad, info or quiet; `busy` while work goes on."""
    return {"label": label, "kind": kind, "busy": busy}


@register.inclusion_tag("components/tag_class.html")
def tag_class(name: str, slot: int = 0, key: str = "", **extra: Any) -> dict[str, Any]:
    """A label class with its colour, key and name."""
    return {"name": name, "slot": int(slot or 0) % SLOTS, "key": key, "attributes": attributes(extra)}


def _button(label: str, kind: str, icon: str, small: bool, extra: dict[str, Any]) -> dict[str, Any]:
    is_icon_only = not label
    return {
        "label": label,
        "kind": kind,
        "icon": icon,
        "small": small,
        "is_icon_only": is_icon_only,
        "attributes": attributes(extra),
    }


@register.inclusion_tag("components/button.html")
def button(
    label: str = "", kind: str = "plain", icon: str = "", type: str = "submit", *, small: bool = False, **extra: Any
) -> dict[str, Any]:
    """A button: primary, plain, quiet or danger. Without a label give `icon` and `aria_label`."""
    return _button(label, kind, icon, small, extra) | {"type": type}


@register.inclusion_tag("components/link_button.html")
def link_button(
    href: str, label: str = "", kind: str = "plain", icon: str = "", *, small: bool = False, **extra: Any
) -> dict[str, Any]:
    """A link that looks like a button; `icon_end` stands after the label."""
    icon_end = extra.pop("icon_end", "")
    return _button(label, kind, icon, small, extra) | {"href": href, "icon_end": icon_end}


@register.inclusion_tag("components/class_button.html")
def class_button(name: str, slot: int = 0, key: str = "", description: str = "", **extra: Any) -> dict[str, Any]:
    """The large button that gives a sample this class; `name` is shown, `field` and `value` are sent."""
    field = extra.pop("field", "label_class")
    return {
        "name": name,
        "slot": int(slot or 0) % SLOTS,
        "key": key,
        "description": description,
        "field": field,
        "attributes": attributes(extra),
    }


@register.inclusion_tag("components/copy_button.html")
def copy_button(text: str, label: str = "") -> dict[str, Any]:
    """A button that copies `text`."""
    return {"text": text, "label": label}


@register.inclusion_tag("components/stat.html")
def stat(label: str, value: Any, hint: str = "", href: str = "", kind: str = "") -> dict[str, Any]:
    """One figure with its label."""
    return {"label": label, "value": value, "hint": hint, "href": href, "kind": kind}


@register.inclusion_tag("components/meter.html")
def meter(
    done: float = 0, total: float | None = None, label: str = "", kind: str = "", **figures: Any
) -> dict[str, Any]:
    """Progress: `done` of `total` (None: unknown), with `rate` in `unit` and `eta_s` left where they are known."""
    is_known = bool(total)
    share = min(done / total, 1.0) if total else None
    rate = figures.get("rate")
    return {
        "done": done,
        "total": total,
        "is_known": is_known,
        "value": f"{share:.4f}" if share is not None else "",
        "share": share,
        "label": label,
        "kind": kind,
        "rate": rate,
        "rate_digits": 1 if rate is not None and rate < 10 else 0,
        "unit": figures.get("unit", ""),
        "eta_s": figures.get("eta_s"),
    }


@register.inclusion_tag("components/split_bar.html")
def split_bar(parts: list[SplitPart], label: str = "") -> dict[str, Any]:
    """A bar split by kind, with each part named and counted under it."""
    return {"parts": draw_parts(parts), "label": label}


@register.inclusion_tag("components/flow.html")
def flow(steps: list[FlowStep], label: str = "") -> dict[str, Any]:
    """The sample's way: steps side by side with counts and links."""
    return {"steps": [(step, FLOW_ICONS.get(step.state, "")) for step in steps], "label": label}


@register.inclusion_tag("components/tabs.html")
def tabs(items: list[Tab], label: str = "") -> dict[str, Any]:
    """Links in a row, the current one marked."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def project_nav(context: RequestContext) -> dict[str, Any]:
    """The tabs of the page's project."""
    project, path = context["project"], context["request"].path
    can_manage, can_review = bool(context.get("can_manage", False)), bool(context.get("can_review", False))
    items = project_tabs(project.slug, path, can_manage=can_manage, can_review=can_review)
    return {"items": items, "label": project.name}


@register.inclusion_tag("components/pager.html")
def pager(newer: str | None = None, older: str | None = None, note: str = "", label: str = "") -> dict[str, Any]:
    """Links to the pages before and after; None hides one."""
    return {"newer": newer, "older": older, "note": note, "label": label}


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, **extra: Any) -> dict[str, Any]:
    """A form field: label, control, help and error, tied together for screen readers."""
    return {"drawn": draw_field(bound, {name.replace("_", "-"): value for name, value in extra.items()})}


@register.inclusion_tag("components/upload_field.html")
def upload_field(bound: BoundField, max_bytes: int, accept: str = "") -> dict[str, Any]:
    """A place to drop one file on, inside a form with `data-upload`."""
    return {"drawn": draw_field(bound, {"accept": accept or None}), "max_bytes": max_bytes}


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with the form as a whole."""
    return {"errors": form.non_field_errors()}


@register.inclusion_tag("components/form_fields.html")
def form_fields(form: BaseForm) -> dict[str, Any]:
    """All fields of the form, after what is wrong with it as a whole."""
    return {"form": form}


def _block(name: str, content: str, **values: Any) -> str:
    # The body is a rendered template already (and safe); what goes beside it is escaped by the part's template.
    return render_to_string(f"components/{name}.html", values | {"content": content})


@register.simple_block_tag
def page_header(content: str, title: str, hint: str = "", back_url: str = "", back_label: str = "") -> str:
    """The page's heading; the body holds its buttons."""
    return _block("page_header", content, title=title, hint=hint, back_url=back_url, back_label=back_label)


@register.simple_block_tag
def panel(content: str, title: str = "", hint: str = "", id: str = "", kind: str = "") -> str:
    """A titled box."""
    return _block("panel", content, title=title, hint=hint, id=id, kind=kind)


@register.simple_block_tag
def callout(content: str, kind: str = "info", title: str = "", role: str = "") -> str:
    """A remark that stands out: good, attention, bad or info."""
    return _block("callout", content, kind=kind, title=title, role=role, icon=CALLOUT_ICONS.get(kind, "info"))


@register.simple_block_tag
def empty_state(content: str, title: str, icon: str = "") -> str:
    """What stands where nothing is yet: the body says why and offers the one thing to do."""
    return _block("empty_state", content, title=title, icon=icon)


@register.simple_block_tag
def table(content: str, caption: str = "", id: str = "") -> str:
    """A table that scrolls sideways on its own."""
    return _block("table", content, caption=caption, id=id)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, small: bool = False) -> str:
    """A dialog that `data-dialog-open="ID"` opens."""
    return _block("dialog", content, id=id, title=title, small=small)
