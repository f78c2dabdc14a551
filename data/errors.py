"""The one class of errors that are the user's to mend, and what is done with lines that cannot be used."""

import dataclasses
import os

# Bad lines that are named in a summary.
KEPT_EXAMPLES = 5


def shown(text: str) -> str:
    """A text in quotes for a message, cut short where it is long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


class UserError(ValueError):
    """A mistake that the user can mend, said in one line: what is wrong, where, and what to do about it.

    The command line prints the message and exits with 1. Anything that is neither a `UserError` nor an `OSError` is a
    defect of the project and keeps its traceback.

    Example:
        >>> raise UserError("reviews.csv:3: expected 2 fields, found 1; --skip-bad-lines leaves such lines out")
        Traceback (most recent call last):
        ...
        data.errors.UserError: reviews.csv:3: expected 2 fields, found 1; --skip-bad-lines leaves such lines out
    """


@dataclasses.dataclass
class BadLines:
    """What happens to a line that cannot be used: it stops the run, or it is left out and counted.

    Args:
        skip: Whether bad lines are left out (`--skip-bad-lines`) instead of raising.
        counts: How many lines of each file were left out so far.
        examples: The messages of the first few.

    Example:
        >>> bad_lines = BadLines(skip=True)
        >>> bad_lines.report("reviews.csv", 3, expected="2 fields", found="1")
        >>> bad_lines.summary()
        '1 bad line left out (reviews.csv:3: expected 2 fields, found 1)'
    """

    skip: bool = False
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: list[str] = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        """How many lines were left out so far."""
        return sum(self.counts.values())

    def report(self, path: str | os.PathLike, line: int, *, expected: str, found: str, advice: str = "") -> None:
        """Counts one bad line, or raises for it.

        Args:
            path: The file.
            line: The line's number, from 1.
            expected: What should have been there.
            found: What is there.
            advice: What else the user may do, besides leaving the line out.

        Raises:
            UserError: Unless bad lines are skipped.
        """
        problem = f"{os.fspath(path)}:{line}: expected {expected}, found {found}"
        if not self.skip:
            advice = f"{advice}; " if advice else ""
            raise UserError(f"{problem}; {advice}--skip-bad-lines leaves such lines out")
        file = os.fspath(path)
        self.counts[file] = self.counts.get(file, 0) + 1
        if len(self.examples) < KEPT_EXAMPLES:
            self.examples.append(problem)

    def summary(self) -> str:
        """One line about what was left out, or "" when nothing was."""
        if not self.count:
            return ""
        lines = "line" if self.count == 1 else "lines"
        each = [f"{count} of {os.path.basename(file)}" for file, count in self.counts.items()]
        files = f": {', '.join(each)}" if len(each) > 1 else ""
        more = "" if self.count == len(self.examples) else "; ..."
        return f"{self.count} bad {lines} left out{files} ({'; '.join(self.examples)}{more})"
