"""A command that cannot start says what is in its way and which setting to mend; it shows no password."""

from pathlib import Path

import pytest

from sagamart.platform.embedded import EmbeddedPostgres, EmbeddedPostgresError
from sagamart.platform.internal.service_tokens import ServiceKeyError, make_service_keys
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


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match=r"data folder .*file/data cannot be made: .* SAGAMART_DATA"):
        await EmbeddedPostgres(tmp_path / "file" / "data").__aenter__()


def test_a_folder_for_keys_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ServiceKeyError, match=r"folder .*file/keys for .* cannot be made: .* SAGAMART_INTERNAL_KEYS"):
        make_service_keys(tmp_path / "file" / "keys", ["stock"])
