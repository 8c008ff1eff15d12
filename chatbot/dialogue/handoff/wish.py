"""Knows a message that asks for a person and for nothing else: whole messages, so that questions stay questions."""

import re

from chatbot.dialogue.smalltalk import phrase_pattern, plain_words

_MAX_CHARS = 120

_WHO_EN = (
    r"(?:(?:a|an|the|some|any|your|another|one of your) )?(?:(?:real|live|actual|human) )*"
    r"(?:person|people|human(?: being)?|agents?|representative|rep|operator|someone|somebody|anyone|advisor|adviser|"
    r"employee|staff(?: member)?|team member|member of staff|colleague|manager|supervisor|"
    r"customer (?:service|support|care)(?: (?:agent|representative|rep|person))?|support(?: (?:agent|person|team))?)"
)
_END_EN = r"(?: (?:real|human|please|pls|now|instead|here|thanks|thank you|directly|right now|about (?:this|it|that)))*"
_BEGIN_EN = r"(?:(?:hi|hello|hey|ok|okay|no|yes|sorry|so|well|please|pls|just) )*"
_EN = (
    rf"{_BEGIN_EN}(?:(?:i (?:would like|d like|want|need|wish|wanna|prefer|have)|i would rather|id like|i'd like|"
    r"(?:can|could|may|might) i|(?:can|could|will|would) you|let me|is it possible|how (?:can|do) i|"
    r"i can) )?(?:please )?"
    r"(?:to )?(?:let me )?(?:talk|speak|chat|connect(?: me)?|be connected|get connected|transfer(?: me)?|"
    rf"put me through|pass me on|hand me over|get me|talking|speaking)(?: (?:to|with|through))? {_WHO_EN}{_END_EN}"
    rf"|{_BEGIN_EN}(?:i (?:need|want) )?(?:a |an )?(?:real person|human(?: being| agent| please)?|live (?:agent|"
    rf"person|chat)|"
    rf"(?:human )?agent|operator|representative|customer service|real human){_END_EN}"
)
_WHO_ES = (
    r"(?:(?:una?|el|la|algun|alguna|otra|otro|su) )?(?:persona|humano|ser humano|agente|operadora?|representante|"
    r"asesora?|alguien|ejecutiv[oa]|encargad[oa]|empleado|soporte|atencion al cliente|companer[oa])"
)
_ES = (
    r"(?:(?:hola|buenas|por favor|no|si|vale) )*(?:(?:quiero|quisiera|necesito|puedo|podria|me gustaria|deseo|"
    r"prefiero|"
    r"se puede|es posible|puedes?|pueden|como puedo|quiere) )?(?:hablar|chatear|conversar|comunicarme|contactar|"
    r"(?:pasar|conectar|poner|comunicar)me|me (?:pasas?|conectas?|comunicas?|pones?)|pas[ea]me|comunic[au]eme|"
    r"conect[ae]me"
    rf"|me pasa|me comunica)(?: (?:con|a))? {_WHO_ES}(?: (?:reales|real|human[oa]|de verdad|por favor|ahora|ya|"
    rf"gracias))*"
    r"|(?:quiero |necesito )?(?:(?:un |una )?(?:agente|operador|persona real|humano|agente humano|persona humana|"
    r"asesor))"
    r"(?: por favor)?"
)
_WHO_FA = (
    r"(?:(?:یک|یه|یکی از|خود|همون|همان) )?(?:نفر|انسان|آدم|ادم|اپراتور|پشتیبان|پشتیبانی|کارشناس|کارشناسان|کارشناس ها|"
    r"همکارتان|همکارتون|همکاران|همکارانتان|همکارانتون|مسیول|شخص|فرد|نماینده|کسی|ادمین|مدیر)"
    r"(?: (?:واقعی|انسانی|شما|پشتیبانی|فروش|دیگه|دیگر))*"
)
_WANT_FA = (
    r"(?:می ?خواهم|می ?خوام|می ?خواستم|می ?شه|می ?شود|می ?تونم|می ?توانم|ممکنه|ممکن است|باید|لازمه|"
    r"دوست دارم|مایلم)"
)
_BEGIN_FA = r"(?:(?:سلام|لطفا|من|خیر|نه|خب|بله|ببخشید|خواهش می ?کنم|اگر ممکنه|اگه میشه) )*"
_END_FA = rf"(?: (?:{_WANT_FA}|لطفا|الان|ممنون|مرسی))*"
_FA = (
    rf"{_BEGIN_FA}(?:{_WANT_FA} )?(?:که )?(?:مستقیم )?با {_WHO_FA} (?:مستقیم )?(?:صحبت|حرف|گفتگو|گفت و گو|چت)"
    rf"(?: (?:ب?کنم|ب?زنم|داشته باشم|کردن|زدن|کرد|کنیم))?{_END_FA}"
    rf"|{_BEGIN_FA}(?:{_WANT_FA} )?(?:(?:من رو|من را|منو|مرا|گفتگو را) )?به {_WHO_FA} (?:وصل|منتقل|متصل)"
    rf" ?(?:کن|کنید|کنین|می ?کنید|می ?کنی|ب?شم|شوم|ب?شوم|شدن)?{_END_FA}"
    rf"|(?:لطفا )?(?:اپراتور|کارشناس|انسان|پشتیبان)(?: (?:انسانی|واقعی|لطفا))*|آدم واقعی|ادم واقعی"
)
_FR = (
    r"(?:s'il vous plait )?(?:je (?:veux|voudrais|souhaite|peux|prefere) |puis je |pouvez vous )?(?:parler|discuter|"
    r"me passer|me mettre en relation)(?: (?:a|avec))? (?:un |une |quelqu'un|votre )?(?:humain|personne|"
    r"vraie personne|"
    r"agent|conseiller|conseillere|operateur)?(?: humain| reelle| s'il vous plait)*"
)
_DE = (
    r"(?:bitte )?(?:ich (?:mochte|will|wurde gerne?|muss) |kann ich |konnte ich |darf ich )?(?:bitte )?mit "
    r"(?:einem |einer |jemandem?)?(?:echten )?(?:menschen|person|mitarbeiter|mitarbeiterin|berater|agenten)?"
    r" ?(?:sprechen|reden|chatten)(?: bitte)?"
)
_PT = (
    r"(?:quero|gostaria de|preciso|posso|poderia|queria) (?:falar|conversar) com (?:uma? |algum )?(?:pessoa|humano|"
    r"atendente|agente|alguem|operador)(?: real| por favor)*"
)
_AR = (
    r"(?:ارید|اود|اریدان|هل یمکننی) ?(?:ان )?(?:اتحدث|التحدث|اتکلم|التکلم) (?:مع|الی) "
    r"(?:شخص|موظف|انسان|احد|ممثل)(?: حقیقی)?"
)
_ASKS = re.compile("|".join(f"(?:{each})" for each in (_EN, _ES, _FA, _FR, _DE, _PT, _AR)))

_YES_WORDS = (
    "yes|yeah|yep|yup|sure|ok|okay|please|please do|yes please|of course|do it|go ahead|a person|to a person|person|"
    "si|claro|vale|de acuerdo|por favor|a una persona|una persona|"
    "بله|بلی|آره|اره|حتما|باشه|اوکی|لطفا|ممنون میشم|موافقم|بله لطفا|به همکارتان|همکارتان|"
    "نعم|oui|volontiers|ja|bitte|gerne|sim|certo|evet|tamam|да|пожалуйста|хорошо"
)
_YES = re.compile(rf"(?:(?:{phrase_pattern(_YES_WORDS)})(?: |$))+")


def wants_person(text: str, *, offered: bool = False) -> bool:
    """Whether a message asks for a person, in whatever language; a mere yes does when one was just `offered`."""
    if len(text) > _MAX_CHARS:
        return False
    words = plain_words(text)
    return bool(_ASKS.fullmatch(words) or (offered and _YES.fullmatch(words)))
