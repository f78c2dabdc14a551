"""How a template leaves the house and keeps in touch: what `copy` and `diff` do. It is not copied itself."""
