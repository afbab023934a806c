"""Accounts as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence

from sagamart.contracts.accounts import CustomerRegistered
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need, need_by
from sagamart.messaging.service import Handler, Service
from sagamart.shop.accounts import decide
from sagamart.shop.accounts.messages import (
    ChangeProfile,
    ChangeRoles,
    CreateStaff,
    EndSession,
    RegisterCustomer,
    RotateSession,
    StartSession,
)
from sagamart.shop.accounts.records import REFRESH_FAMILIES, USERS, RefreshFamily, User


def _newcomer(message: Message[RegisterCustomer] | Message[CreateStaff]) -> Sequence[Need]:
    return need(User, message.body.customer_id), need_by(User, "email", message.body.email)


def _user_of_family(message: Message[RotateSession], records: Records) -> Sequence[Need]:
    family = records.find(RefreshFamily, message.body.family_id)
    return () if family is None else (need(User, family.customer_id),)


def _rotate(message: Message[RotateSession], records: Records) -> Decision:
    family = records.find(RefreshFamily, message.body.family_id)
    user = None if family is None else records.find(User, family.customer_id)
    return decide.rotate_session(message, family, user)


ACCOUNTS = Service(
    "accounts",
    tables=(REFRESH_FAMILIES, USERS),
    migrations="sagamart.shop.accounts.migrations",
    handlers=(
        Handler(
            takes=RegisterCustomer,
            needs=_newcomer,
            decide=lambda m, have: decide.register(m, have.find_by(User, "email", m.body.email)),
            emits=(CustomerRegistered,),
        ),
        Handler(
            takes=CreateStaff,
            needs=_newcomer,
            decide=lambda m, have: decide.create_staff(m, have.find_by(User, "email", m.body.email)),
            emits=(CustomerRegistered,),
        ),
        Handler(
            takes=ChangeProfile,
            needs=lambda m: (need(User, m.body.customer_id),),
            decide=lambda m, have: decide.change_profile(m.body, have.find(User, m.body.customer_id)),
        ),
        Handler(
            takes=ChangeRoles,
            needs=lambda m: (need(User, m.body.customer_id),),
            decide=lambda m, have: decide.change_roles(m.body, have.find(User, m.body.customer_id)),
            emits=(CustomerRegistered,),
        ),
        Handler(
            takes=StartSession,
            needs=lambda m: (need(RefreshFamily, m.body.family_id), need(User, m.body.customer_id)),
            decide=lambda m, have: decide.start_session(m, have.find(User, m.body.customer_id)),
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
    ),
)
