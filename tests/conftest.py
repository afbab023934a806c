"""What every test may ask for."""

# Hypothesis's plugin imports it at the end of a run that did not use it: too deep in the stack for CPython 3.11, whose
# compiler then fails with `AST constructor recursion depth mismatch`.
import hypothesis  # noqa: F401  only to have it imported

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
    "styles_street",
)
