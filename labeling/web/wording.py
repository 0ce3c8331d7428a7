"""Figures and times in words that people read: the same on every page."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NOTHING = "–"
NANO = 1_000_000_000
"""Nano-dollars in a dollar: money is counted in whole ones, so that sums are exact."""
MONEY_FIGURES, FEWEST_CENTS, MOST_PLACES = 2, 2, 9
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SKEW_S = 1  # chosen: what another process has just written is not to come
SHORT_TIME_S = 45  # chosen: under it "just now" says enough
OLD_DAYS = 30  # chosen: beyond it a date is easier to place than a number of days


def word_number(value: float | None, digits: int = 0) -> str:
    """12,268 for 12268; a dash for None."""
    return NOTHING if value is None else number_format(round(value, digits), digits, use_l10n=True, force_grouping=True)


def word_percent(share: float | None, digits: int = 1) -> str:
    """24.4% for the share 0.244; a dash for None."""
    return NOTHING if share is None else f"{number_format(round(100 * share, digits), digits, use_l10n=True)}%"


def word_money(nano: int | None) -> str:
    """$1,234.50 for 1,234,500,000,000 nano-dollars; below a dollar two figures, such as $0.012; a dash for None."""
    if nano is None:
        return NOTHING
    places, dollars = FEWEST_CENTS, abs(nano) / NANO
    while places < MOST_PLACES and 0 < dollars < 10 ** (MONEY_FIGURES - 1 - places):
        places += 1
    text = number_format(round(dollars, places), places, use_l10n=True, force_grouping=True)
    return f"{'-' if nano < 0 else ''}${text}"


def word_duration(seconds: float | None) -> str:
    """Such as "40 s", "about 2 min", "about 1 h 40", "about 3 d 4 h"; a dash for None."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return _("under 1 s")
    if round(seconds) < MINUTE_S:
        return _("%(count)d s") % {"count": round(seconds)}
    minutes = round(seconds / MINUTE_S)
    if minutes < HOUR_S // MINUTE_S:
        return _("about %(count)d min") % {"count": minutes}
    return _word_hours(minutes)


def _word_hours(minutes: int) -> str:
    hours, minutes = divmod(minutes, 60)
    if hours < DAY_S // HOUR_S:
        text = _("about %(hours)d h %(minutes)02d") if minutes else _("about %(hours)d h")
        return text % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    text = _("about %(days)d d %(hours)d h") if hours else _("about %(days)d d")
    return text % {"days": days, "hours": hours}


def word_time_ago(moment: datetime, now: datetime | None = None) -> str:
    """Such as "just now", "3 min ago", "4 days ago", then the date; "in a moment", "in 5 min" for what is to come."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if abs(seconds) < SHORT_TIME_S:
        return _("just now") if seconds > -SKEW_S else _("in a moment")
    if abs(seconds) >= OLD_DAYS * DAY_S:
        return date_format(timezone.localtime(moment), "j M Y")
    span = _word_span(abs(seconds))
    return _("%(span)s ago") % {"span": span} if seconds > 0 else _("in %(span)s") % {"span": span}


def _word_span(seconds: float) -> str:
    if seconds < HOUR_S:
        return _("%(count)d min") % {"count": max(1, int(seconds // MINUTE_S))}
    if seconds < DAY_S:
        return _("%(count)d h") % {"count": int(seconds // HOUR_S)}
    days = int(seconds // DAY_S)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def word_moment(moment: datetime) -> str:
    """The exact local time with its zone, such as "21 Nov 2026, 03:47:12 UTC"."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'j M Y, H:i:s')} {local.tzname()}"
