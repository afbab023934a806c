"""What the fields of a product may hold, wherever they come from."""

from typing import Annotated

from msgspec import Meta

from sagamart.contracts.catalogue import SKU_PATTERN

Sku = Annotated[str, Meta(pattern=SKU_PATTERN, examples=["MUG-BLUE"])]
Title = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=200, examples=["Blue mug"])]
Description = Annotated[str, Meta(max_length=10_000, examples=["Holds 300 ml."])]
PriceMinor = Annotated[
    int, Meta(ge=0, le=1_000_000_000_000, description="In the currency's minor unit", examples=[59_000])
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", examples=["EUR"], description="ISO 4217")]
WeightG = Annotated[int, Meta(ge=0, le=1_000_000, description="In grams", examples=[320])]
LengthMm = Annotated[int, Meta(ge=1, le=100_000, description="In millimetres", examples=[80])]
TaxRateBp = Annotated[int, Meta(ge=0, le=10_000, description="Basis points: 2000 is 20 %", examples=[2_000])]
