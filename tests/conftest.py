"""What every test may ask for."""

pytest_plugins = (
    "postgres_fixtures",
    "shop_fixtures",
    "open_shop",
    "orders_at_work",
    "kafka_fixtures",
    "bank_at_work",
    "payments_street",
    "market",
    "audited_shop",
)
