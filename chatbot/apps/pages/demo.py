"""The demo page: what a customer's page looks like to the widget, in English and in Persian."""

from dataclasses import dataclass
from html import escape

from chatbot.channels.widget.snippet import script_tag, socket_url
from chatbot.core.settings import Settings
from chatbot.identity.demo import DEMO_TENANT_ID

_PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style nonce="{nonce}">
body {{ margin: 0 auto; max-width: 44rem; padding: 2rem 1.25rem; font: 1.05rem/1.7 system-ui, sans-serif; }}
pre {{ direction: ltr; text-align: left; overflow-x: auto; padding: 1rem; background: #f4f4f5; border-radius: .5rem; }}
</style>
</head>
<body>
<nav>{links}</nav>
<main>
<h1>{title}</h1>
<p>{words}</p>
<pre><code>{shown}</code></pre>
</main>
{snippet}
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Words:
    """The page in one language; `name` is what the language calls itself."""

    name: str
    direction: str
    title: str
    words: str


_LANGUAGES = {
    "en": _Words(
        "English",
        "ltr",
        "A page of a customer of yours",
        "Nothing on this page belongs to Xin but the one line below: it puts the chat into the corner. Ask it "
        "“What is Xin?”, or ask for a person.",
    ),
    "fa": _Words(
        "فارسی",
        "rtl",
        "صفحه‌ای از وب‌سایت شما",
        "جز همین یک خط، هیچ چیز این صفحه از زین نیست: همین خط گفتگو را به گوشهٔ صفحه می‌آورد. بپرسید «زین چیست؟» "
        "یا بخواهید با یکی از همکاران گفتگو کنید.",
    ),
}  # fmt: skip


def demo_page(settings: Settings, api: str, lang: str, nonce: str) -> str:
    """Return the page with the documented snippet for the demo tenant.

    Args:
        api: where the page itself was loaded from.
    """
    lang = lang if lang in _LANGUAGES else "en"
    words = _LANGUAGES[lang]
    data = {"tenant": str(DEMO_TENANT_ID), "api": api, "gateway": socket_url(settings.gateway_url), "locale": lang}
    links = " · ".join(f'<a href="?lang={code}" lang="{code}">{each.name}</a>' for code, each in _LANGUAGES.items())
    return _PAGE.format(
        lang=lang, direction=words.direction, title=words.title, words=words.words, nonce=nonce, links=links,
        shown=escape(script_tag(f"{api}/embed.js", data)),
        snippet=script_tag(f"{api}/embed.js", data, nonce=nonce),
    )  # fmt: skip
