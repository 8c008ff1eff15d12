"""Words too common to find anything by, per language, as they look after folding."""

from chatbot.knowledge.analysis.folding import fold

_ENGLISH = """
a about above after again all am an and any are aren't as at be because been before being below between both but by
can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for from further had
hadn't has hasn't have haven't having he her here hers herself him himself his how i if in into is isn't it its itself
just let me more most my myself no nor not of off on once only or other our ours ourselves out over own please same
she should shouldn't so some such than that the their theirs them themselves then there these they this those through
to too under until up very was wasn't we were weren't what when where which while who whom why will with won't would
wouldn't you your yours yourself yourselves i'm i've i'd i'll it's that's there's what's you're we're they're he's she's
im ive id dont doesnt cant isnt also get got
"""
_SPANISH = """
a al algo algun alguna algunas alguno algunos ante antes aquel aquella aquellas aquellos aqui asi aun aunque bajo bien
cada como con contra cual cuales cuando cuanto cuanta cuantos cuantas de del desde donde dos durante e el ella ellas
ello ellos en entre era eran es esa esas ese eso esos esta estaba estado estan estar estas este esto estos estoy fue
fueron ha habia habian han has hasta hay he la las le les lo los mas me mi mis mientras mucho muy nada ni no nos
nosotros nuestra nuestras nuestro nuestros o os otra otras otro otros para pero poco por porque pues que quien quienes
se sea sean segun ser si sido sin sobre sois somos son soy su sus suya suyo tal tambien tan tanto te tiene tienen tengo
ti todo toda todos todas tras tu tus tuvo un una unas uno unos usted ustedes vosotros y ya yo puedo puede favor quiero
"""
_SPANISH_ACCENTED = """
cómo cuál cuáles cuándo cuánto cuánta cuántos cuántas dónde qué quién quiénes más sí está están había habían según
también así aún aquí él mí tú además después
"""
_PERSIAN = """
و در به از که این را با است برای آن یک خود تا کرد بر هم نیز وی اما یا شد او ما شما من تو آنها آن‌ها ها های هایی می نمی
شده باید هر همه اگر هیچ دیگر پس چه چی چرا چگونه چطور کجا کی کدام آیا چند بود بودند باشد باشند هست هستند نیست
بوده شود شوند میشود می‌شود کند کنند کنم کنیم کنید کردن کرده کردم دارد دارند داشت داشته داشتند دارم داریم دارید
خواهد توان تواند می‌توان بین روی زیر پیش بعد قبل چون ولی لطفا لطفاً همین همان چنین بسیار نه اند ام ات اش ای
مان تان شان تر ترین وقتی زیرا بلکه چیست کیست کجاست چیه رو رو‌به برخی بعضی میان سوی نسبت توسط طور مثل مانند
"""


def _set(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in fold(text).split())


STOP_WORDS: dict[str, frozenset[str]] = {
    "en": _set(_ENGLISH),
    "es": _set(_SPANISH, _SPANISH_ACCENTED),
    "fa": _set(_PERSIAN),
}
