"""Accounts as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence

from sagamart.contracts.accounts import (
    CustomerErased,
    CustomerRegistered,
    EmailChangeAnnounced,
    EmailChangeRequested,
    EmailConfirmationRequested,
    PasswordChanged,
    PasswordResetRequested,
)
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need, need_by
from sagamart.messaging.service import Handler, Service
from sagamart.shop.accounts import credentials, decide, machines, one_time, personal
from sagamart.shop.accounts.messages import (
    AdmitMachine,
    ChangeEmail,
    ChangePassword,
    ChangeProfile,
    ChangeRoles,
    ConfirmEmail,
    CreateStaff,
    DismissMachine,
    EndSession,
    EraseCustomer,
    KeepAddress,
    NoteFailedLogIn,
    RegisterCustomer,
    RemoveAddress,
    RequestConfirmation,
    RequestPasswordReset,
    ResetPassword,
    RotateSession,
    StartSession,
    TakeNewEmail,
)
from sagamart.shop.accounts.one_time import token_id_of
from sagamart.shop.accounts.records import (
    ADDRESS_BOOKS,
    ADMINISTRATORS,
    ADMINISTRATORS_NAME,
    FAILED_LOG_INS,
    MACHINES,
    ONE_TIME_TOKENS,
    REFRESH_FAMILIES,
    ROLE_CHANGES,
    USERS,
    AddressBook,
    Administrators,
    FailedLogIns,
    Machine,
    OneTimeToken,
    RefreshFamily,
    User,
)

ADMINISTRATORS_NEED = need(Administrators, ADMINISTRATORS_NAME)


def _newcomer(message: Message[RegisterCustomer] | Message[CreateStaff]) -> Sequence[Need]:
    token = need(OneTimeToken, token_id_of(message.id))
    return token, need(User, message.body.customer_id), need_by(User, "email", message.body.email)


def _user(records: Records, customer_id: str) -> User | None:
    """The user, unless erased."""
    return _unless_erased(records.find(User, customer_id))


def _unless_erased(user: User | None) -> User | None:
    return user if user is not None and user.erased_at is None else None


def _admins(records: Records) -> Administrators | None:
    return records.find(Administrators, ADMINISTRATORS_NAME)


def _user_of_family(message: Message[RotateSession], records: Records) -> Sequence[Need]:
    family = records.find(RefreshFamily, message.body.family_id)
    return () if family is None else (need(User, family.customer_id),)


def _rotate(message: Message[RotateSession], records: Records) -> Decision:
    family = records.find(RefreshFamily, message.body.family_id)
    user = None if family is None else _user(records, family.customer_id)
    return decide.rotate_session(message, family, user)


def _user_of_token(message: Message[ConfirmEmail] | Message[ResetPassword], records: Records) -> Sequence[Need]:
    token = records.find(OneTimeToken, message.body.token_id)
    return () if token is None else (need(User, token.customer_id),)


def _confirm(message: Message[ConfirmEmail], records: Records) -> Decision:
    token = records.find(OneTimeToken, message.body.token_id)
    return one_time.confirm_email(message, token, None if token is None else _user(records, token.customer_id))


def _reset(message: Message[ResetPassword], records: Records) -> Decision:
    token = records.find(OneTimeToken, message.body.token_id)
    return one_time.reset_password(message, token, None if token is None else _user(records, token.customer_id))


def _person(message: Message[EraseCustomer] | Message[KeepAddress]) -> Sequence[Need]:
    customer_id = message.body.customer_id
    return need(AddressBook, customer_id), need(User, customer_id), ADMINISTRATORS_NEED


def _erase(message: Message[EraseCustomer], records: Records) -> Decision:
    customer_id = message.body.customer_id
    book = records.find(AddressBook, customer_id)
    return personal.erase(message, _user(records, customer_id), book, _admins(records))


def _keep_address(message: Message[KeepAddress], records: Records) -> Decision:
    customer_id = message.body.customer_id
    return personal.keep_address(message.body, _user(records, customer_id), records.find(AddressBook, customer_id))


def _user_and_session(message: Message[ChangePassword]) -> Sequence[Need]:
    return need(RefreshFamily, message.body.session), need(User, message.body.customer_id)


LETTERS = (
    Handler(
        takes=RequestConfirmation,
        needs=lambda m: (need(OneTimeToken, token_id_of(m.id)), need(User, m.body.customer_id)),
        decide=lambda m, have: one_time.request_confirmation(m, _user(have, m.body.customer_id)),
        emits=(EmailConfirmationRequested,),
    ),
    Handler(
        takes=RequestPasswordReset,
        needs=lambda m: (need(OneTimeToken, token_id_of(m.id)), need_by(User, "email", m.body.email)),
        decide=lambda m, have: one_time.request_password_reset(
            m, _unless_erased(have.find_by(User, "email", m.body.email))
        ),
        emits=(PasswordResetRequested,),
    ),
    Handler(
        takes=ConfirmEmail,
        needs=lambda m: (need(OneTimeToken, m.body.token_id),),
        then=_user_of_token,
        decide=_confirm,
    ),
    Handler(
        takes=ResetPassword,
        needs=lambda m: (need(OneTimeToken, m.body.token_id),),
        then=_user_of_token,
        decide=_reset,
        emits=(PasswordChanged,),
    ),
)
CREDENTIALS = (
    Handler(
        takes=ChangePassword,
        needs=_user_and_session,
        decide=lambda m, have: credentials.change_password(
            m, _user(have, m.body.customer_id), have.find(RefreshFamily, m.body.session)
        ),
        emits=(PasswordChanged,),
    ),
    Handler(
        takes=ChangeEmail,
        needs=lambda m: (
            need(OneTimeToken, token_id_of(m.id)),
            need(User, m.body.customer_id),
            need_by(User, "email", m.body.email),
        ),
        decide=lambda m, have: credentials.change_email(
            m, _user(have, m.body.customer_id), have.find_by(User, "email", m.body.email)
        ),
        emits=(EmailChangeRequested, EmailChangeAnnounced),
    ),
    Handler(
        takes=TakeNewEmail,
        needs=lambda m: (
            need(OneTimeToken, m.body.token_id),
            need(User, m.body.customer_id),
            need_by(User, "email", m.body.email),
        ),
        decide=lambda m, have: credentials.take_new_email(
            m,
            have.find(OneTimeToken, m.body.token_id),
            _user(have, m.body.customer_id),
            have.find_by(User, "email", m.body.email),
        ),
    ),
)
PEOPLE = (
    Handler(takes=KeepAddress, needs=_person, decide=_keep_address),
    Handler(
        takes=RemoveAddress,
        needs=lambda m: (need(AddressBook, m.body.customer_id),),
        decide=lambda m, have: personal.remove_address(m.body, have.find(AddressBook, m.body.customer_id)),
    ),
    Handler(takes=EraseCustomer, needs=_person, decide=_erase, emits=(CustomerErased,)),
)
PROGRAMS = (
    Handler(
        takes=AdmitMachine,
        needs=lambda m: (need(Machine, m.body.client_id),),
        decide=lambda m, _: machines.admit(m),
    ),
    Handler(
        takes=DismissMachine,
        needs=lambda m: (need(Machine, m.body.client_id),),
        decide=lambda m, have: machines.dismiss(m, have.find(Machine, m.body.client_id)),
    ),
    Handler(
        takes=NoteFailedLogIn,
        needs=lambda m: (need(FailedLogIns, m.body.account, m.body.client),),
        decide=lambda m, have: machines.note_failure(
            m, have.find(FailedLogIns, m.body.account), have.find(FailedLogIns, m.body.client)
        ),
    ),
)

ACCOUNTS = Service(
    "accounts",
    tables=(
        ADDRESS_BOOKS,
        FAILED_LOG_INS,
        MACHINES,
        ONE_TIME_TOKENS,
        REFRESH_FAMILIES,
        USERS,
        ADMINISTRATORS,
        ROLE_CHANGES,
    ),
    migrations="sagamart.shop.accounts.migrations",
    handlers=(
        Handler(
            takes=RegisterCustomer,
            needs=_newcomer,
            decide=lambda m, have: decide.register(m, have.find_by(User, "email", m.body.email)),
            emits=(CustomerRegistered, EmailConfirmationRequested),
        ),
        Handler(
            takes=CreateStaff,
            needs=lambda m: (*_newcomer(m), ADMINISTRATORS_NEED),
            decide=lambda m, have: decide.create_staff(m, have.find_by(User, "email", m.body.email), _admins(have)),
            emits=(CustomerRegistered, EmailConfirmationRequested),
        ),
        Handler(
            takes=ChangeProfile,
            needs=lambda m: (need(User, m.body.customer_id),),
            decide=lambda m, have: decide.change_profile(m.body, _user(have, m.body.customer_id)),
        ),
        Handler(
            takes=ChangeRoles,
            needs=lambda m: (need(User, m.body.customer_id), ADMINISTRATORS_NEED),
            decide=lambda m, have: decide.change_roles(m, _user(have, m.body.customer_id), _admins(have)),
            emits=(CustomerRegistered,),
        ),
        Handler(
            takes=StartSession,
            needs=lambda m: (need(RefreshFamily, m.body.family_id), need(User, m.body.customer_id)),
            decide=lambda m, have: decide.start_session(m, _user(have, m.body.customer_id)),
        ),
        Handler(
            takes=RotateSession,
            needs=lambda m: (need(RefreshFamily, m.body.family_id),),
            then=_user_of_family,
            decide=_rotate,
        ),
        Handler(
            takes=EndSession,
            needs=lambda m: (need(RefreshFamily, m.body.family_id),),
            decide=lambda m, have: decide.end_session(m.body, have.find(RefreshFamily, m.body.family_id)),
        ),
        *LETTERS,
        *CREDENTIALS,
        *PEOPLE,
        *PROGRAMS,
    ),
)
