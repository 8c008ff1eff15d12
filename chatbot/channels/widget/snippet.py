"""The lines of HTML that put the widget on a page."""

from collections.abc import Mapping
from html import escape
from uuid import UUID

from chatbot.channels.widget.schemas import EmbedSnippet
from chatbot.core.settings import Settings


def embed_snippet(settings: Settings, tenant_id: UUID, brand_id: UUID | None, locale: str | None) -> EmbedSnippet:
    """Return the snippet of a tenant; `locale` None (`auto`) lets the page's own language decide."""
    api, gateway = settings.orchestrator_public_url, socket_url(settings.gateway_url)
    source = f"{api}/embed.js"
    brand = str(brand_id) if brand_id else None
    data = {"tenant": str(tenant_id), "brand": brand, "api": api, "gateway": gateway, "locale": locale or "auto"}
    return EmbedSnippet(
        tenant_id=tenant_id, brand_id=brand_id, locale=locale, src=source, api_url=api, gateway_url=gateway,
        snippet=script_tag(source, data),
    )  # fmt: skip


def script_tag(source: str, data: Mapping[str, str | None], *, nonce: str | None = None) -> str:
    """Return the element that loads the widget, with its `data-` attributes; None leaves one out."""
    allowed = f' nonce="{escape(nonce)}"' if nonce else ""
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items() if value)
    return f'<script defer{allowed} src="{escape(source)}"{attributes}></script>'


def socket_url(url: str) -> str:
    """Return the address for sockets of an HTTP address."""
    scheme, _, rest = url.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}"
