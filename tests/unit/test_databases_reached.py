"""A command whose databases cannot be opened says which, why, and by which setting; it shows no password."""

import pytest

from sagamart.programs import CannotStartError, reached


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        (
            "postgresql://stock:canary@127.0.0.1:1/stock",
            "the database of stock cannot be opened: .*Errno.*; see SAGAMART_DATABASE_DSN",
        ),
        ("postgresql://stock:canary/1@db/stock", "SAGAMART_DATABASE_DSN is no DSN of PostgreSQL; set it to one as"),
        ("mysql://stock:canary@db/stock", "SAGAMART_DATABASE_DSN is no DSN of PostgreSQL"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_named_with_its_setting(dsn: str, told: str) -> None:
    with pytest.raises(CannotStartError, match=told) as refused:
        await reached({"stock": dsn}, "SAGAMART_DATABASE_DSN")

    assert "canary" not in str(refused.value)
