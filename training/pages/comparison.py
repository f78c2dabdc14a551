"""A page that compares runs: what differs in them, what they reached, their curves over each other."""

from collections.abc import Sequence
from pathlib import Path

from training.commands.report import by_template, headline, runs_table
from training.pages.page import write_page
from training.pages.parts import Curves, Part, Section, Table
from training.pages.report import curve_of, read_history
from training.runs.folder import RunFolder


def write_comparison(path: Path, runs: Sequence[RunFolder]) -> None:
    """Writes a page with a section for each template.

    Args:
        path: The `.html` to write.
        runs: The runs, one at least; those without an epoch have no curve.
    """
    sections = []
    for template, entries in by_template(runs).items():
        headings, rows = runs_table(entries)
        histories = {str(folder.path): read_history(folder) for folder, _, _ in entries}
        names = dict.fromkeys(
            f"validation_{name}" for _, record, metrics in entries if (name := headline(record.config, metrics))
        )
        parts: list[Part] = [Table("Runs", headings, rows)]
        for name in dict.fromkeys(["loss", "validation_loss", *names]):
            lines = {run: curve_of(history, name) for run, history in histories.items()}
            title = name.replace("_", " ").capitalize()
            parts.append(Curves(title, "epoch", {run: line for run, line in lines.items() if line}))
        sections.append(Section(template, parts))
    write_page(path, "Runs compared", sections)
