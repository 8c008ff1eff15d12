"""The letter that tells an administrator how a budget stands, in three languages."""

from collections.abc import Mapping

from chatbot.ops.budgets.standing import Level

_LIMITS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "tokens_per_day": "tokens a day", "tokens_per_month": "tokens a month",
        "cost_micros_per_day": "US dollars a day", "cost_micros_per_month": "US dollars a month",
    },
    "es": {
        "tokens_per_day": "tokens al día", "tokens_per_month": "tokens al mes",
        "cost_micros_per_day": "dólares al día", "cost_micros_per_month": "dólares al mes",
    },
    "fa": {
        "tokens_per_day": "توکن در روز", "tokens_per_month": "توکن در ماه",
        "cost_micros_per_day": "دلار در روز", "cost_micros_per_month": "دلار در ماه",
    },
}  # fmt: skip

_THEN: Mapping[str, Mapping[Level, str]] = {
    "en": {
        "warn": "Answers go on as before.",
        "degrade": "From now on a cheaper way of answering is used.",
        "stop": "Answers come from the knowledge alone until the next day or month begins, or the limit is raised.",
    },
    "es": {
        "warn": "Las respuestas siguen como antes.",
        "degrade": "Desde ahora se responde de una manera más económica.",
        "stop": "Las respuestas salen solo del conocimiento hasta que empiece el próximo día o mes, o suba el límite.",
    },
    "fa": {
        "warn": "پاسخ‌ها مانند پیش ادامه دارد.",
        "degrade": "از این پس به شیوه‌ای ارزان‌تر پاسخ داده می‌شود.",
        "stop": "تا آغاز روز یا ماه بعد، یا افزایش سقف، پاسخ‌ها تنها از دانش برمی‌آید.",
    },
}

_LETTER = {
    "en": (
        "{percent}% of the model budget of {tenant} is used",
        "Hello {name},\n\n{percent}% of {most} {limit} is used. {then}",
    ),
    "es": (
        "{percent} % del presupuesto de modelos de {tenant} está gastado",
        "Hola, {name}:\n\nse ha gastado el {percent} % de {most} {limit}. {then}",
    ),
    "fa": (
        "{percent}٪ از بودجهٔ مدل {tenant} مصرف شده است",
        "سلام {name}،\n\n{percent}٪ از {most} {limit} مصرف شده است. {then}",
    ),
}


def letter(
    language: str, *, level: Level, limit: str, most: float, percent: int, tenant: str, name: str
) -> tuple[str, str]:
    """Return subject and text; another language than the three is answered in English."""
    spoken = language if language in _LETTER else "en"
    subject, text = _LETTER[spoken]
    words = {
        "percent": percent, "tenant": tenant, "name": name, "most": f"{most:,.10g}", "limit": _LIMITS[spoken][limit],
        "then": _THEN[spoken][level],
    }  # fmt: skip
    return subject.format(**words), text.format(**words)
