"""What visitors are told about people, queues and hours, by language."""

from datetime import datetime
from typing import Literal

HandoffPhrase = Literal["passing_on", "next", "place", "minutes", "soon", "nobody", "back", "leave", "returned"]

_PHRASES: dict[str, dict[HandoffPhrase, str]] = {
    "en": {
        "passing_on": "All right, I am passing you on to a person.",
        "next": "You are next in line.",
        "place": "You are number {position} in line.",
        "minutes": "People usually answer within about {minutes} min.",
        "soon": "Somebody will answer you here as soon as possible.",
        "nobody": "Nobody is here at the moment.",
        "back": "We are back on {time}.",
        "leave": "You can write here what you need, or open a ticket.",
        "returned": "Your conversation is in line again: somebody else will go on with it.",
    },
    "fa": {
        "passing_on": "بسیار خوب، گفتگوی شما را به یکی از همکارانم می‌سپارم.",
        "next": "شما نفر بعدی در صف هستید.",
        "place": "شما نفر {position} در صف هستید.",
        "minutes": "همکاران ما معمولاً ظرف حدود {minutes} دقیقه پاسخ می‌دهند.",
        "soon": "یکی از همکاران ما در اولین فرصت همین‌جا به شما پاسخ می‌دهد.",
        "nobody": "در حال حاضر کسی در دسترس نیست.",
        "back": "ما {time} برمی‌گردیم.",
        "leave": "می‌توانید پیام خود را همین‌جا بنویسید یا تیکت ثبت کنید.",
        "returned": "گفتگوی شما دوباره در صف قرار گرفت: همکار دیگری آن را ادامه می‌دهد.",
    },
    "es": {
        "passing_on": "De acuerdo, te paso con una persona.",
        "next": "Eres la siguiente persona de la cola.",
        "place": "Eres el número {position} de la cola.",
        "minutes": "Normalmente respondemos en unos {minutes} min.",
        "soon": "Alguien te responderá aquí lo antes posible.",
        "nobody": "En este momento no hay nadie disponible.",
        "back": "Volvemos el {time}.",
        "leave": "Puedes escribir aquí lo que necesitas o abrir un ticket.",
        "returned": "Tu conversación está de nuevo en la cola: otra persona la continuará.",
    },
    "ar": {
        "passing_on": "حسنًا، سأحيلك إلى أحد الزملاء.",
        "next": "أنت التالي في الطابور.",
        "place": "أنت رقم {position} في الطابور.",
        "minutes": "نجيب عادةً خلال {minutes} دقيقة تقريبًا.",
        "soon": "سيجيبك أحدنا هنا في أقرب وقت.",
        "nobody": "لا يوجد أحد متاح الآن.",
        "back": "نعود {time}.",
        "leave": "يمكنك أن تكتب هنا ما تحتاجه أو أن تفتح تذكرة.",
        "returned": "عادت محادثتك إلى الطابور: سيتابعها زميل آخر.",
    },
    "fr": {
        "passing_on": "Entendu, je vous mets en relation avec une personne.",
        "next": "Vous êtes la prochaine personne dans la file.",
        "place": "Vous êtes numéro {position} dans la file.",
        "minutes": "Nous répondons en général en {minutes} min environ.",
        "soon": "Quelqu'un vous répondra ici dès que possible.",
        "nobody": "Personne n'est disponible pour le moment.",
        "back": "Nous revenons {time}.",
        "leave": "Vous pouvez écrire ici ce qu'il vous faut ou ouvrir un ticket.",
        "returned": "Votre conversation est de nouveau dans la file : une autre personne la reprendra.",
    },
    "de": {
        "passing_on": "In Ordnung, ich verbinde Sie mit einer Person.",
        "next": "Sie sind als Nächstes an der Reihe.",
        "place": "Sie sind Nummer {position} in der Warteschlange.",
        "minutes": "Meist antworten wir innerhalb von etwa {minutes} Min.",
        "soon": "Jemand antwortet Ihnen hier so bald wie möglich.",
        "nobody": "Im Moment ist niemand da.",
        "back": "Wir sind wieder da: {time}.",
        "leave": "Sie können hier schreiben, was Sie brauchen, oder ein Ticket eröffnen.",
        "returned": "Ihre Unterhaltung ist wieder in der Warteschlange: Jemand anderes macht weiter.",
    },
    "pt": {
        "passing_on": "Certo, vou passar você para uma pessoa.",
        "next": "Você é a próxima pessoa da fila.",
        "place": "Você é o número {position} da fila.",
        "minutes": "Normalmente respondemos em cerca de {minutes} min.",
        "soon": "Alguém responderá aqui assim que possível.",
        "nobody": "Não há ninguém disponível no momento.",
        "back": "Voltamos: {time}.",
        "leave": "Pode escrever aqui o que precisa ou abrir um ticket.",
        "returned": "A sua conversa voltou à fila: outra pessoa vai continuá-la.",
    },
    "it": {
        "passing_on": "Va bene, la metto in contatto con una persona.",
        "next": "Lei è la prossima persona in coda.",
        "place": "Lei è il numero {position} in coda.",
        "minutes": "Di solito rispondiamo entro circa {minutes} min.",
        "soon": "Qualcuno le risponderà qui appena possibile.",
        "nobody": "Al momento non c'è nessuno.",
        "back": "Torniamo: {time}.",
        "leave": "Può scrivere qui ciò che le serve o aprire un ticket.",
        "returned": "La sua conversazione è di nuovo in coda: la continuerà un'altra persona.",
    },
    "tr": {
        "passing_on": "Tamam, sizi bir çalışanımıza aktarıyorum.",
        "next": "Sıradaki kişi sizsiniz.",
        "place": "Sırada {position}. kişisiniz.",
        "minutes": "Genellikle yaklaşık {minutes} dk içinde yanıt veriyoruz.",
        "soon": "Biri size en kısa sürede buradan yanıt verecek.",
        "nobody": "Şu anda kimse yok.",
        "back": "Yeniden buradayız: {time}.",
        "leave": "İhtiyacınızı buraya yazabilir ya da bir destek kaydı açabilirsiniz.",
        "returned": "Görüşmeniz yeniden sırada: başka biri devam edecek.",
    },
    "ru": {
        "passing_on": "Хорошо, передаю вас сотруднику.",
        "next": "Вы следующий в очереди.",
        "place": "Ваш номер в очереди: {position}.",
        "minutes": "Обычно мы отвечаем примерно за {minutes} мин.",
        "soon": "Вам ответят здесь как можно скорее.",
        "nobody": "Сейчас никого нет.",
        "back": "Мы вернёмся: {time}.",
        "leave": "Вы можете написать здесь, что вам нужно, или создать обращение.",
        "returned": "Ваш диалог снова в очереди: его продолжит другой сотрудник.",
    },
}

_WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "fa": "دوشنبه سه‌شنبه چهارشنبه پنجشنبه جمعه شنبه یکشنبه",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
}
"""From Monday on, each one word."""

_PERSIAN_DIGITS = {ord("0") + n: chr(0x06F0 + n) for n in range(10)}


def handoff_phrase(name: HandoffPhrase, language: str) -> str:
    """What is said in a language, else in English."""
    return _PHRASES.get(language, _PHRASES["en"])[name]


def local_time(at: datetime, language: str) -> str:
    """Say a moment of the coming week by its day and time, in the moment's own time zone."""
    days = _WEEKDAYS.get(language, _WEEKDAYS["en"]).split()
    return f"{days[at.weekday()]} {local_number(f'{at:%H:%M}', language)}"


def local_number(digits: str, language: str) -> str:
    """Write digits as the language does."""
    return digits.translate(_PERSIAN_DIGITS) if language == "fa" else digits
