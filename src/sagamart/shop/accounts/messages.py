"""What only accounts hears: the commands of people about themselves, and of administrators.

No message carries a password or a token: passwords come as argon2id hashes, tokens as SHA-256.
"""

from sagamart.messaging.message import Body
from sagamart.shop.accounts.records import Language, Role


class UserCommand(Body, frozen=True):
    """A command about one user."""

    customer_id: str

    @property
    def key(self) -> str:
        """The user."""
        return self.customer_id


class RegisterCustomer(UserCommand, frozen=True):
    """Somebody wants to become a customer."""

    email: str
    password_hash: str
    name: str
    language: Language


class CreateStaff(RegisterCustomer, frozen=True):
    """Whoever runs the shop makes an account with these roles: the first administrator, for one."""

    roles: tuple[Role, ...]


class ChangeProfile(UserCommand, frozen=True):
    """Somebody is called otherwise, or reads another language.  None leaves a field as it is.

    `expected_version` is the version that the caller saw; None changes whatever is there.
    """

    name: str | None = None
    language: Language | None = None
    expected_version: int | None = None


class ChangeRoles(UserCommand, frozen=True):
    """From now on this user has these roles and no others.  `by` is the administrator, who saw `expected_version`."""

    roles: tuple[Role, ...]
    by: str
    expected_version: int


class SessionCommand(Body, frozen=True):
    """A command about one refresh family; `family_hash` shows that the caller holds a token of it."""

    family_id: str
    family_hash: str

    @property
    def key(self) -> str:
        """The family."""
        return self.family_id


class StartSession(SessionCommand, frozen=True):
    """The password was right: begin a refresh family."""

    customer_id: str
    token_hash: str


class RotateSession(SessionCommand, frozen=True):
    """Spend one refresh token for the next."""

    token_hash: str
    next_token_hash: str


class EndSession(SessionCommand, frozen=True):
    """Log out: no token of this family shall be good any more."""
