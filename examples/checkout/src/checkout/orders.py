"""Carts, orders, and where orders are kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PRICES: Mapping[str, int] = {"espresso": 260, "flat-white": 340, "bag-of-beans": 1150}
"""What things cost, in cents."""

MOST_OF_ONE_ITEM = 50


class BadCart(ValueError):
    """The cart cannot be sold; the message says why, to the customer."""


@dataclass(frozen=True)
class Order:
    """A cart that has been paid for."""

    id: str
    items: dict[str, int]
    cents: int

    @classmethod
    def of(cls, id: str, cart: Any) -> Order:
        """Price a cart ({"items": {"espresso": 2}}); raise BadCart where it makes no sense."""
        items = cart.get("items") if isinstance(cart, dict) else None
        if not isinstance(items, dict) or not items:
            raise BadCart("the cart is empty")
        for name, count in items.items():
            if name not in PRICES:
                raise BadCart(f"we do not sell {name!r}")
            if type(count) is not int or not 1 <= count <= MOST_OF_ONE_ITEM:
                raise BadCart(f"{name!r} can be bought 1 to {MOST_OF_ONE_ITEM} at a time, not {count!r}")
        return cls(id, items, sum(PRICES[name] * count for name, count in items.items()))

    def as_json(self) -> dict[str, Any]:
        """The order as the API shows it."""
        return asdict(self)


class Orders:
    """Orders in SQLite, standing in for a database that all instances share; it answers in microseconds."""

    def __init__(self, path: str = ":memory:") -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, body TEXT NOT NULL)")

    def get(self, id: str) -> Order | None:
        """The order of that id."""
        row = self._database.execute("SELECT body FROM orders WHERE id = ?", (id,)).fetchone()
        return Order(**json.loads(row[0])) if row else None

    def keep(self, order: Order) -> None:
        """Keep an order for good."""
        body = json.dumps(order.as_json())
        with self._database:
            self._database.execute("INSERT INTO orders VALUES (?, ?)", (order.id, body))

    def ready(self) -> bool:
        """Whether the database answers."""
        try:
            self._database.execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True

    def close(self) -> None:
        """Give the database back."""
        self._database.close()
