"""The tests of everything but the templates, whose own travel with them."""
