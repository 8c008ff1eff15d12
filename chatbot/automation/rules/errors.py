"""Errors of rules and their jobs."""

from chatbot.core.errors import Conflict


class VersionConflict(Conflict):
    """Somebody has changed the rule since."""

    code = "version_conflict"
    title = "Somebody else has changed this rule"


class TooManyRules(Conflict):
    """The tenant has as many rules as it may."""

    code = "too_many_rules"
    title = "There are as many rules as there may be"
