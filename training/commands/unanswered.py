"""Inputs that have no answer: each is named with its reason, all others are answered, and the end is exit code 1."""

import click

from data.errors import UserError


class Unanswered:
    """Names and counts the inputs that cannot be answered.

    Attributes:
        count: How many there were so far.

    Example:
        unanswered = Unanswered()
        unanswered.report("photos/cut.jpg", "damaged JPEG: unexpected end")   # on standard error
        unanswered.check()   # after the last input
    """

    def __init__(self):
        self.count = 0

    def report(self, name: str, reason: str) -> None:
        """Says on standard error which input cannot be answered, and why."""
        self.count += 1
        click.echo(f"{name if name.strip() else repr(name)}: {reason}", err=True)

    def check(self) -> None:
        """Raises a `UserError` if there was any; what was answered is written then."""
        if self.count:
            raise UserError(f"{self.count:,} of the inputs could not be read; they are named above")
