"""Another e-mail address, and links that end with the password they were asked for with."""

from alembic import op

revision = "0003_other_credentials"
down_revision = "0002_letters_and_machines"


def upgrade() -> None:
    """New columns may be null, so that a program of the version before goes on writing."""
    op.execute("""
        alter table users
            add column new_email text,
            add column new_email_token text,
            add constraint new_email_has_its_token check ((new_email is null) = (new_email_token is null)),
            add constraint who_was_erased_moves_nowhere check (erased_at is null or new_email is null);
        alter table one_time_tokens
            add column epoch bigint,
            drop constraint purpose_is_known,
            add constraint purpose_is_known check (purpose in ('confirmation', 'password_reset', 'email_change'));
    """)
