"""Tables, a file per family. Importing this package registers them all on `Base.metadata`."""

from chatbot.db.models.audit import AuditEvent, AuditHead
from chatbot.db.models.automation import (
    AutomationJob,
    AutomationRule,
    AutomationSwitch,
    AutomationVariables,
    WebhookSecret,
)
from chatbot.db.models.base import Base
from chatbot.db.models.channels import (
    Attachment,
    Channel,
    ChannelSecret,
    ChannelState,
    Delivery,
    DeliveryAttempt,
    InboundEvent,
    Visitor,
)
from chatbot.db.models.dialogue import Conversation, Event, Handoff, LogCursor, Message, TurnTrace
from chatbot.db.models.helpdesk import Agent, CannedReply, MessageTerms, Note
from chatbot.db.models.identity import ApiKey, Brand, Membership, Tenant, User, UserSession
from chatbot.db.models.knowledge import (
    BrandStatistics,
    GapGroup,
    IngestionJob,
    KnowledgeGap,
    KnowledgeSource,
    Passage,
    PassageVector,
    TermStatistics,
)
from chatbot.db.models.people import Invitation, PasswordReset
from chatbot.db.models.policies import PolicyVersion
from chatbot.db.models.statistics import DailyStatistics, StatisticsProgress
from chatbot.db.models.tickets import CsatRating, Ticket, TicketComment, TicketCounter
from chatbot.db.models.upkeep import Decommission, Erasure, RetentionRun
from chatbot.db.models.usage import BudgetAlert, DailyUsage, UsageRecord

__all__ = [
    "Agent",
    "ApiKey",
    "Attachment",
    "AuditEvent",
    "AuditHead",
    "AutomationJob",
    "AutomationRule",
    "AutomationSwitch",
    "AutomationVariables",
    "Base",
    "Brand",
    "BrandStatistics",
    "BudgetAlert",
    "CannedReply",
    "Channel",
    "ChannelSecret",
    "ChannelState",
    "Conversation",
    "CsatRating",
    "DailyStatistics",
    "DailyUsage",
    "Decommission",
    "Delivery",
    "DeliveryAttempt",
    "Erasure",
    "Event",
    "GapGroup",
    "Handoff",
    "InboundEvent",
    "IngestionJob",
    "Invitation",
    "KnowledgeGap",
    "KnowledgeSource",
    "LogCursor",
    "Membership",
    "Message",
    "MessageTerms",
    "Note",
    "Passage",
    "PassageVector",
    "PasswordReset",
    "PolicyVersion",
    "RetentionRun",
    "StatisticsProgress",
    "Tenant",
    "TermStatistics",
    "Ticket",
    "TicketComment",
    "TicketCounter",
    "TurnTrace",
    "UsageRecord",
    "User",
    "UserSession",
    "Visitor",
    "WebhookSecret",
]
