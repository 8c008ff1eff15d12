"""Tables, a file per family. Importing this package registers them all on `Base.metadata`."""

from chatbot.db.models.base import Base
from chatbot.db.models.channels import (
    Attachment,
    Channel,
    ChannelSecret,
    ChannelState,
    Delivery,
    DeliveryAttempt,
    InboundEvent,
)
from chatbot.db.models.dialogue import Conversation, Event, Message, TurnTrace
from chatbot.db.models.identity import ApiKey, Brand, Membership, Tenant, User, UserSession
from chatbot.db.models.knowledge import (
    BrandStatistics,
    IngestionJob,
    KnowledgeGap,
    KnowledgeSource,
    Passage,
    PassageVector,
    TermStatistics,
)
from chatbot.db.models.policies import PolicyVersion
from chatbot.db.models.usage import DailyUsage, UsageRecord

__all__ = [
    "ApiKey",
    "Attachment",
    "Base",
    "Brand",
    "BrandStatistics",
    "Channel",
    "ChannelSecret",
    "ChannelState",
    "Conversation",
    "DailyUsage",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "InboundEvent",
    "IngestionJob",
    "KnowledgeGap",
    "KnowledgeSource",
    "Membership",
    "Message",
    "Passage",
    "PassageVector",
    "PolicyVersion",
    "Tenant",
    "TermStatistics",
    "TurnTrace",
    "UsageRecord",
    "User",
    "UserSession",
]
