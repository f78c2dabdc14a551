"""Names of pictures that mean none, or several, and what is said of those and of all else that fits nothing."""

from collections.abc import Iterable

from data.captioned_pictures.files import NOT_THERE, Match


class UnmatchedNames:
    """Names that mean no picture, by why: there is none, there are several, or it is of a kind that is not read."""

    def __init__(self) -> None:
        self.by_problem: dict[str, dict[str, None]] = {}

    def add(self, name: str, match: Match) -> None:
        """Keeps a name that means no picture, once."""
        self.by_problem.setdefault(match.problem, {})[name] = None

    def first(self) -> str:
        """One of the names, and what is wrong with it, unless nothing is there."""
        problem, names = next(iter(self.by_problem.items()))
        return next(iter(names)) + ("" if problem == NOT_THERE else f" ({problem})")

    def note(self, one: str, many: str) -> str:
        """Says how many are not there, in the words for one and for several, and the first few."""
        return note(self.by_problem.get(NOT_THERE, ()), one, many)

    def without(self, others: "UnmatchedNames") -> "UnmatchedNames":
        """Those that are not among others."""
        rest = UnmatchedNames()
        for problem, names in self.by_problem.items():
            rest.by_problem[problem] = {name: None for name in names if name not in others.by_problem.get(problem, ())}
        return rest


def notes_of_problems(all_unmatched: Iterable[UnmatchedNames]) -> list[str]:
    """Of names that mean several pictures, and of pictures of other kinds, how many there are, and the first few."""
    problems = {
        name: problem
        for unmatched in all_unmatched
        for problem, names in unmatched.by_problem.items()
        for name in names
        if problem != NOT_THERE
    }
    ambiguous = [f"{name} is {problem}" for name, problem in problems.items() if problem.startswith("ambiguous")]
    others = [problem for problem in problems.values() if not problem.startswith("ambiguous")]
    return [
        note(ambiguous, "name means several pictures", "names mean several pictures each"),
        note(others, "picture is of a kind that is not read", "pictures are of a kind that is not read"),
    ]


def note(names: Iterable[str], one: str, many: str) -> str:
    """Says how many there are, and the first few; nothing where there are none."""
    names = list(names)
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} {one if len(names) == 1 else many} ({shown})" if names else ""
