"""The words of the simulated world: categories, merchants, places, devices.

Names in use and names kept back for "nobody ever used this" come from the same lists, so that a
name says nothing but whether it was seen before.
"""

from __future__ import annotations

# category: (noun in the merchant's name, usual amount)
CATEGORIES = {
    "grocery": ("Grocery", 34.0),
    "restaurant": ("Kitchen", 28.0),
    "pharmacy": ("Pharmacy", 16.0),
    "fuel": ("Fuel", 40.0),
    "transport": ("Cabs", 10.0),
    "books": ("Books", 22.0),
    "streaming": ("Stream", 11.0),
    "clothing": ("Outfitters", 55.0),
    "electronics": ("Electronics", 140.0),
    "travel": ("Travel", 230.0),
}

OWNERS = (  # noqa: SIM905  (40 words read better as text)
    "Juniper Marlow Quill Harbor Tansy Foxglove Brook Verity Aldine Copper Sable Linden Orchard "
    "Pewter Rowan Thistle Wren Cobalt Meadow Larch Ember Nettle Saffron Bramble Citrine Dune "
    "Hazel Indigo Kestrel Lupin Maple Onyx Poplar Russet Sorrel Umber Violet Willow Yarrow Zephyr"
).split()

METHODS = ("debit", "credit", "wallet")

# Interleaved below: place i pays in currency i modulo 4.
PLACES_BY_CURRENCY = {
    "EUR": "Lisbon Madrid Milan Vienna Dublin Athens Porto Lyon Turin Ghent Bremen Malaga",
    "GBP": "Leeds London Bristol Cardiff Glasgow York Oxford Derby Exeter Norwich Dundee Hull",
    "USD": "Boston Austin Denver Seattle Chicago Tampa Fresno Omaha Tulsa Dallas Reno Mesa",
    "CHF": "Basel Zurich Geneva Bern Lugano Lausanne Lucerne Biel Thun Chur Sion Uster",
}
CURRENCIES = tuple(PLACES_BY_CURRENCY)
PLACES = [
    place
    for row in zip(*(names.split() for names in PLACES_BY_CURRENCY.values()), strict=True)
    for place in row
]

DEVICES = [
    f"{maker} {model}"
    for model in ("4", "X2", "7 Mini", "9", "Pro")
    for maker in ("Orion", "Tablo", "Lyra", "Kite", "Penta", "Mica", "Halo", "Brix")
]


def merchant_name(index: int, n_categories: int) -> str:
    """Merchant `index`; its category is `index` modulo the number of categories."""
    noun, _ = list(CATEGORIES.values())[index % n_categories]
    return f"{OWNERS[index // n_categories]} {noun}"
