"""What a shop allows by itself, and what only a demonstration does."""

from pathlib import Path

from sagamart.platform.settings import load
from sagamart.settings import DEMONSTRATION, ShopSettings

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
