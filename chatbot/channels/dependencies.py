"""FastAPI dependencies of the channels' endpoints: the parts that the process has put at hand."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from chatbot.channels.accounts import Accounts
from chatbot.channels.inbox.service import Inbox
from chatbot.channels.outbox.service import Outbox
from chatbot.channels.service import ChannelService
from chatbot.channels.widget.service import Widget
from chatbot.core.safe_http import SafeHttp


async def _accounts(connection: HTTPConnection) -> Accounts:
    accounts: Accounts = connection.app.state.accounts
    return accounts


async def _inbox(connection: HTTPConnection) -> Inbox:
    inbox: Inbox = connection.app.state.inbox
    return inbox


async def _outbox(connection: HTTPConnection) -> Outbox:
    outbox: Outbox = connection.app.state.outbox
    return outbox


async def _channels(connection: HTTPConnection) -> ChannelService:
    channels: ChannelService = connection.app.state.channels
    return channels


async def _widget(connection: HTTPConnection) -> Widget:
    widget: Widget = connection.app.state.widget
    return widget


async def _provider_http(connection: HTTPConnection) -> SafeHttp:
    http: SafeHttp = connection.app.state.provider_http
    return http


ProviderHttp = Annotated[SafeHttp, Depends(_provider_http)]
OpenAccounts = Annotated[Accounts, Depends(_accounts)]
TheInbox = Annotated[Inbox, Depends(_inbox)]
TheOutbox = Annotated[Outbox, Depends(_outbox)]
Channels = Annotated[ChannelService, Depends(_channels)]
TheWidget = Annotated[Widget, Depends(_widget)]
