"""What a shop allows by itself, and what only a demonstration does."""

from pathlib import Path

import pytest

from sagamart.demo_bank import with_bank
from sagamart.platform.settings import load
from sagamart.settings import DEMONSTRATION, BankSection, ShopSettings
from sagamart.standalone import what_is_open

TOP = Path(__file__).parents[2]


def test_a_shop_by_itself_lets_nobody_but_its_staff_name_prices_and_hand_out_money() -> None:
    settings = ShopSettings()

    assert (settings.orders.custom_lines, settings.wallet.customers_may_deposit) == ("staff", False)


def test_in_a_demonstration_customers_do_both() -> None:
    settings = load(ShopSettings, DEMONSTRATION)

    assert (settings.orders.custom_lines, settings.wallet.customers_may_deposit) == ("all", True)


def test_what_is_set_up_to_be_tried_out_allows_what_a_demonstration_does() -> None:
    for place in ("compose.yaml", "deploy/helm/sagamart/values-laptop.yaml"):
        said = (TOP / place).read_text().replace('"', "")
        assert [name for name, value in DEMONSTRATION.items() if f"  {name}: {value}\n" not in said] == [], place


@pytest.mark.parametrize(
    ("settings", "bank", "is_missed"),
    [
        (ShopSettings(), "", True),
        (ShopSettings(bank=BankSection(url="https://bank.example")), "", False),
        (with_bank(ShopSettings(), "http://127.0.0.1:8090", "whsec_c2VjcmV0"), "http://127.0.0.1:8090", False),
    ],
)
def test_a_shop_that_takes_no_cards_says_so_when_it_opens(
    settings: ShopSettings, bank: str, *, is_missed: bool
) -> None:
    told = what_is_open(settings, "http://127.0.0.1:8080", bank)

    assert told[0] == "The shop is open at http://127.0.0.1:8080"
    assert any("cards are not taken" in line for line in told) == is_missed
    assert (f"A bank to try payments with is open at {bank}" in told) == bool(bank)
