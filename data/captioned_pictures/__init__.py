"""Pictures and the sentences that describe them."""
