"""Who may see and change whom.

A platform admin reaches everybody. An administrator of a tenant sees its members, as far as their tenants are the
administrator's too, and changes what a member may do there. The person as a whole (name, address, password, suspending,
deleting) is only for whoever administers every tenant of that person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chatbot.core.errors import Forbidden, NotFound
from chatbot.db.models import User
from chatbot.identity.subject import Role, RoleTooLow, Subject


@dataclass(frozen=True, slots=True)
class MembershipRow:
    """A role in a living tenant."""

    tenant_name: str
    role: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person with every membership.

    Attributes:
        elsewhere: belongs to a tenant that is out of service, too, and may be brought back.
    """

    user: User
    memberships: Mapping[UUID, MembershipRow]
    elsewhere: bool = False

    @property
    def id(self) -> UUID:
        """The person's id."""
        return self.user.id

    def seen_by(self, subject: Subject) -> "PersonRow":
        """Return the person with those memberships only that the subject administers."""
        return PersonRow(self.user, {key: row for key, row in self.memberships.items() if subject.administers(key)})


def reach(subject: Subject, person: PersonRow | None) -> PersonRow:
    """Return the person when the subject administers one of their tenants.

    Raises:
        NotFound: nobody by that id, or nobody in the subject's tenants: the two answers are the same.
        Forbidden: in the subject's tenants, with too low a role.
    """
    if person is None:
        raise NotFound("no such person")
    if subject.role is Role.PLATFORM_ADMIN or any(map(subject.administers, person.memberships)):
        return person
    shared = [tenant_id for tenant_id in person.memberships if subject.role_in(tenant_id) not in (None, Role.VISITOR)]
    if not shared:
        raise NotFound("no such person")
    raise RoleTooLow(shared[0], Role.TENANT_ADMIN)


def require_whole(subject: Subject, person: PersonRow) -> None:
    """Refuse unless the subject may change the person as a whole.

    Raises:
        Forbidden: the person is a platform admin, or belongs to tenants that are not the subject's too.
    """
    if subject.role is Role.PLATFORM_ADMIN:
        return
    if person.user.is_platform_admin:
        raise Forbidden("platform admins are changed by platform admins only")
    if person.elsewhere or not all(map(subject.administers, person.memberships)):
        raise Forbidden("this person belongs to other tenants too; take away the membership in yours instead")
