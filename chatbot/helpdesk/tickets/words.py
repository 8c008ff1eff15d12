"""The words of tickets by language, in mails and in text; English where there are none."""

from typing import Literal

Word = Literal[
    "ticket", "subject", "status", "priority", "requester", "device", "session", "id", "opened", "first_response",
    "resolution", "until", "done", "problem", "transcript", "comments", "internal", "none",
    "open", "pending", "solved", "closed", "low", "normal", "high", "urgent",
    "mail_subject", "mail_opened", "mail_solved",
]  # fmt: skip

_WORDS: dict[str, dict[Word, str]] = {
    "en": {
        "ticket": "Ticket #{number}",
        "subject": "Subject",
        "status": "Status",
        "priority": "Priority",
        "requester": "Requester",
        "device": "Device",
        "session": "Session",
        "id": "Id",
        "opened": "Opened",
        "first_response": "First response",
        "resolution": "Resolution",
        "until": "until {when}",
        "done": "given {when}",
        "problem": "Problem",
        "transcript": "Conversation",
        "comments": "Comments",
        "internal": "internal",
        "none": "—",
        "open": "open",
        "pending": "waits for the requester",
        "solved": "solved",
        "closed": "closed",
        "low": "low",
        "normal": "normal",
        "high": "high",
        "urgent": "urgent",
        "mail_subject": "Your request #{number}",
        "mail_opened": "We have received your request; its number is **{number}**.\n\nWe will answer you here. To add "
        "something, just answer this mail.\n\n{brand}",
        "mail_solved": "Your request **{number}** has been solved.\n\nIf it has not, just answer this mail, and it is "
        "open again.\n\n{brand}",
    },
    "es": {
        "ticket": "Ticket n.º {number}",
        "subject": "Asunto",
        "status": "Estado",
        "priority": "Prioridad",
        "requester": "Solicitante",
        "device": "Dispositivo",
        "session": "Sesión",
        "id": "Id",
        "opened": "Abierto",
        "first_response": "Primera respuesta",
        "resolution": "Resolución",
        "until": "hasta {when}",
        "done": "dada {when}",
        "problem": "Problema",
        "transcript": "Conversación",
        "comments": "Comentarios",
        "internal": "interno",
        "none": "—",
        "open": "abierto",
        "pending": "en espera del solicitante",
        "solved": "resuelto",
        "closed": "cerrado",
        "low": "baja",
        "normal": "normal",
        "high": "alta",
        "urgent": "urgente",
        "mail_subject": "Tu solicitud n.º {number}",
        "mail_opened": "Hemos recibido tu solicitud; su número es **{number}**.\n\nTe responderemos aquí. Para añadir "
        "algo, responde a este correo.\n\n{brand}",
        "mail_solved": "Tu solicitud **{number}** está resuelta.\n\nSi no lo está, responde a este correo y volverá a "
        "abrirse.\n\n{brand}",
    },
    "fa": {
        "ticket": "تیکت شماره {number}",
        "subject": "موضوع",
        "status": "وضعیت",
        "priority": "اولویت",
        "requester": "درخواست‌کننده",
        "device": "دستگاه",
        "session": "نشست",
        "id": "شناسه",
        "opened": "زمان ثبت",
        "first_response": "نخستین پاسخ",
        "resolution": "حل مشکل",
        "until": "تا {when}",
        "done": "انجام شد: {when}",
        "problem": "شرح مشکل",
        "transcript": "گفتگو",
        "comments": "یادداشت‌ها",
        "internal": "داخلی",
        "none": "—",
        "open": "باز",
        "pending": "در انتظار درخواست‌کننده",
        "solved": "حل‌شده",
        "closed": "بسته",
        "low": "کم",
        "normal": "عادی",
        "high": "زیاد",
        "urgent": "فوری",
        "mail_subject": "درخواست شما به شماره {number}",
        "mail_opened": "درخواست شما را دریافت کردیم؛ شماره آن **{number}** است.\n\nپاسخ را همین‌جا برایتان می‌فرستیم. "
        "اگر نکته‌ای مانده است، به همین نامه پاسخ دهید.\n\n{brand}",
        "mail_solved": "درخواست شما به شماره **{number}** حل شد.\n\nاگر هنوز مشکل پابرجاست، به همین نامه پاسخ دهید تا "
        "دوباره باز شود.\n\n{brand}",
    },
}


def word(name: Word, language: str) -> str:
    """Return a word in a language."""
    return _WORDS.get(language, _WORDS["en"])[name]
