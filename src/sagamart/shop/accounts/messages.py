"""What only accounts hears: the commands of people about themselves, and of administrators.

No message carries a password or a token: passwords come as argon2id hashes, tokens as SHA-256.
"""

from hashlib import sha256

from sagamart.messaging.message import Body
from sagamart.shop.accounts.records import Address, Language, MachineRole, Role


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
    """The password was right: begin a refresh family.  `epoch` is the user's, as it was when the password was read."""

    customer_id: str
    token_hash: str
    epoch: int = 0


class RotateSession(SessionCommand, frozen=True):
    """Spend one refresh token for the next."""

    token_hash: str
    next_token_hash: str


class EndSession(SessionCommand, frozen=True):
    """Log out: no token of this family shall be good any more."""


class RequestConfirmation(UserCommand, frozen=True):
    """Somebody wants the letter that asks to confirm the e-mail address once more."""


class RequestPasswordReset(Body, frozen=True):
    """Somebody says that this is the own e-mail address, and the password forgotten."""

    email: str

    @property
    def key(self) -> str:
        """A digest of the address: keys are logged."""
        return sha256(self.email.encode()).hexdigest()[:32]


class ChangePassword(UserCommand, frozen=True):
    """From now on this is the password.  `epoch` is the user's, as it was when the present password was checked.

    `session` is the log-in that it was asked for in: the one that goes on.
    """

    password_hash: str
    epoch: int
    session: str


class ChangeEmail(UserCommand, frozen=True):
    """Somebody wants the account at this address.  `epoch` as in ChangePassword."""

    email: str
    epoch: int


class TokenCommand(Body, frozen=True):
    """A command of whoever holds a one-time token; the seal was checked."""

    token_id: str

    @property
    def key(self) -> str:
        """The token."""
        return self.token_id


class ConfirmEmail(TokenCommand, frozen=True):
    """The link of the letter was followed: the address is the user's."""


class TakeNewEmail(TokenCommand, frozen=True):
    """The link of the letter to the new address was followed: the account moves there."""

    customer_id: str
    email: str


class ResetPassword(TokenCommand, frozen=True):
    """From now on this is the password."""

    password_hash: str


class EraseCustomer(UserCommand, frozen=True):
    """Somebody wants to be forgotten."""


class KeepAddress(UserCommand, frozen=True):
    """Add this address to the book, or put it in the place of the one with its id.

    `expected_version` is the book's version that the caller saw; None changes whatever is there.
    """

    address: Address
    new: bool
    expected_version: int | None = None


class RemoveAddress(UserCommand, frozen=True):
    """Take an address out of the book."""

    address_id: str
    expected_version: int | None = None


class NoteFailedLogIn(Body, frozen=True):
    """A password or a secret was wrong.  Both origins are digests: of the account, and of the client's address."""

    account: str
    client: str

    @property
    def key(self) -> str:
        """The account."""
        return self.account


class MachineCommand(Body, frozen=True):
    """A command about a program that logs in by itself; `by` is the administrator."""

    client_id: str
    by: str

    @property
    def key(self) -> str:
        """The client."""
        return self.client_id


class AdmitMachine(MachineCommand, frozen=True):
    """Let a program log in with the secret of this digest."""

    name: str
    secret_hash: str
    roles: tuple[MachineRole, ...]


class DismissMachine(MachineCommand, frozen=True):
    """Let a program log in no more."""
