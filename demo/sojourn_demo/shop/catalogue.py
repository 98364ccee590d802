"""What the shop sells."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

CURRENCY: Final = "EUR"


@dataclass(frozen=True, slots=True)
class Product:
    """One thing to buy; `price` in EUR, `hue` colours its picture."""

    id: str
    name: str
    line: str
    price: Decimal
    hue: int
    glyph: str


PRODUCTS: Final[tuple[Product, ...]] = (
    Product("mug", "Harbour mug", "Stoneware, holds a quiet morning", Decimal("14.00"), 28, "☕"),
    Product("lamp", "Reading lamp", "Warm light, weighs less than a book", Decimal("62.00"), 46, "✺"),
    Product("scarf", "Wool scarf", "Undyed, from one flock", Decimal("39.50"), 8, "≋"),
    Product("map", "Wall map", "The coast at 1:50,000, printed on linen", Decimal("28.00"), 190, "⊕"),
    Product("kettle", "Enamel kettle", "Sings in C", Decimal("54.00"), 350, "♨"),
    Product("clock", "Tide clock", "Tells high water instead of hours", Decimal("89.00"), 210, "◔"),
    Product("pack", "Day pack", "20 litres, waxed canvas", Decimal("119.00"), 140, "▲"),
    Product("book", "Log book", "Numbered pages, opens flat", Decimal("18.00"), 260, "✎"),
    Product("stove", "Camp stove", "Boils a litre in four minutes", Decimal("74.00"), 16, "✹"),
    Product("boots", "Walking boots", "Resoleable, broken in by tomorrow", Decimal("168.00"), 96, "❖"),
    Product("tarp", "Storm tarp", "Three by three, nine loops", Decimal("47.00"), 170, "◇"),
    Product("glass", "Field glass", "Eight times closer", Decimal("139.00"), 230, "◎"),
)

BY_ID: Final = {product.id: product for product in PRODUCTS}
