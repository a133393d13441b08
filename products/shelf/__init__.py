"""My Shelf: what people own, how we know it, and what they must hear about it."""
