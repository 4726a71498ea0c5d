"""The checkout service: takes a cart, charges for it, keeps the order."""
