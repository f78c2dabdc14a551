"""Label a text (many-to-one): reviews, tickets, messages; any number of classes."""
