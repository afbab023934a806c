"""Shipping's tables."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None

METHODS = """
    create table delivery_methods (
        version bigint not null,
        method text primary key,
        title_en text not null,
        title_ru text not null,
        price_minor bigint not null check (price_minor >= 0),
        per_kg_minor bigint not null check (per_kg_minor >= 0),
        currency text not null check (length(currency) = 3),
        needs_shipment boolean not null,
        needs_address boolean not null,
        countries jsonb not null,
        parcel_max jsonb not null,
        active boolean not null
    );
    create table product_measures (
        version bigint not null,
        sku text primary key,
        catalogue_version bigint not null,
        weight_g bigint not null check (weight_g >= 0),
        length_mm bigint check (length_mm > 0),
        width_mm bigint check (width_mm > 0),
        height_mm bigint check (height_mm > 0)
    );
"""
SHIPMENTS = """
    create table shipments (
        version bigint not null,
        shipment_id text primary key,
        order_id text not null unique,
        customer_id text not null,
        method text not null,
        status text not null check (
            status in ('pending', 'refused', 'stopped', 'handed_over', 'delivered', 'returned')
        ),
        reason text,
        address jsonb,
        parcels jsonb not null,
        pieces bigint not null,
        pieces_back bigint not null,
        carrier text not null,
        tracking text not null,
        changed_at timestamptz not null,
        constraint no_more_back_than_sent check (0 <= pieces_back and pieces_back <= pieces),
        constraint returned_is_all_back check (status <> 'returned' or pieces_back = pieces),
        constraint refused_for_a_reason check (reason is not null or status <> 'refused'),
        constraint sent_by_a_carrier check ((status in ('handed_over', 'delivered', 'returned')) = (carrier <> '')),
        constraint sent_in_parcels check (status not in ('pending', 'handed_over') or parcels <> '[]')
    );
    create index shipments_of_a_customer on shipments (customer_id, shipment_id);
    create index shipments_to_hand_over on shipments (shipment_id) where status = 'pending';
"""
RETURNS = """
    create table returns (
        version bigint not null,
        return_id text primary key,
        order_id text not null,
        status text not null check (status in ('announced', 'received')),
        returned jsonb not null
    );
    create index returns_of_an_order on returns (order_id);
"""
HAND_OVERS = """
    create table hand_overs (
        parcel_id text primary key,
        shipment_id text not null,
        carrier text not null,
        tracking text not null,
        by text not null,
        at timestamptz not null
    );
"""


def upgrade() -> None:
    """Methods and measures, shipments, returns, and the journal of what carriers took."""
    for statement in (METHODS, SHIPMENTS, RETURNS, HAND_OVERS):
        op.execute(statement)
    op.execute(append_only("hand_overs"))
