"""Dates, numbers and foreign words in plain text, as readers of a language expect them; Persian ones above all."""

import re
import unicodedata
from datetime import date, datetime

RIGHT_TO_LEFT = frozenset({"fa", "ar", "he", "ur"})
_RIGHTWARD = frozenset({"R", "AL"})
_RLM = "\u200f"
_FIRST_STRONG, _POP = "\u2068", "\u2069"
_CONTROLS = re.compile("[\u0000-\u001f\u007f\u200e\u200f\u061c\u202a-\u202e\u2028\u2029\u2066-\u2069]+")

_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}
_JALALI_MONTHS = ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]

# Of the 33 years of a cycle these have 366 days. The rule meets the observed calendar from 1244 to 1472 (1865 to 2093).
_LEAP_YEARS = (1, 5, 9, 13, 17, 22, 26, 30)
_CYCLE_YEARS = 33
_FIRST_HALF_DAYS = 6 * 31
_NOWRUZ_1405 = date(2026, 3, 21).toordinal()


def isolate(value: str, language: str) -> str:
    """Return a value as one line that keeps its own direction and leaves that of the line around it alone (UAX 9).

    Where both run from left to right there is nothing to keep apart, and whoever copies the value gets nothing unseen.
    """
    plain = _CONTROLS.sub(" ", value).strip()
    mixed = language in RIGHT_TO_LEFT or any(unicodedata.bidirectional(char) in _RIGHTWARD for char in plain)
    return f"{_FIRST_STRONG}{plain}{_POP}" if mixed else plain


def line(text: str, language: str) -> str:
    """Return a line that runs in the language's direction, whatever stands first in it."""
    return f"{_RLM}{text}" if language in RIGHT_TO_LEFT else text


def number(value: object, language: str) -> str:
    """Return a number with the language's digits."""
    return str(value).translate(_PERSIAN_DIGITS) if language == "fa" else str(value)


def day(moment: date, language: str) -> str:
    """Return a date in words: `25 November 2026`, `25 de noviembre de 2026`, `۴ آذر ۱۴۰۵`; else as ISO 8601."""
    if language == "fa":
        year, month, of_month = jalali(moment)
        return f"{number(of_month, 'fa')} {_JALALI_MONTHS[month - 1]} {number(year, 'fa')}"
    if language not in _MONTHS:
        return f"{moment:%Y-%m-%d}"
    month_name, of = _MONTHS[language][moment.month - 1], " de " if language == "es" else " "
    return f"{moment.day}{of}{month_name}{of}{moment.year}"


def clock(moment: datetime, language: str) -> str:
    """Return a time of day, `HH:MM`."""
    return number(f"{moment:%H:%M}", language)


def day_and_time(moment: datetime, language: str) -> str:
    """Return a date in words with the time of day."""
    return f"{day(moment, language)}{'،' if language in RIGHT_TO_LEFT else ','} {clock(moment, language)}"


def jalali(moment: date) -> tuple[int, int, int]:
    """Return year, month and day of a date in the Solar Hijri calendar."""
    ordinal = moment.toordinal()
    year = moment.year - 621
    if ordinal < _nowruz(year):
        year -= 1
    days = ordinal - _nowruz(year)
    if days < _FIRST_HALF_DAYS:
        return year, days // 31 + 1, days % 31 + 1
    days -= _FIRST_HALF_DAYS
    return year, days // 30 + 7, days % 30 + 1


def _nowruz(year: int) -> int:
    """The ordinal of a year's first day."""
    return _NOWRUZ_1405 + 365 * (year - 1405) + _leaps_before(year) - _leaps_before(1405)


def _leaps_before(year: int) -> int:
    cycles, rest = divmod(year - 1, _CYCLE_YEARS)
    return cycles * len(_LEAP_YEARS) + sum(leap <= rest for leap in _LEAP_YEARS)
