"""A run's report: what it was, what it reached, its curves, and where it was right and wrong."""

import csv
from collections.abc import Sequence

from training.commands.report import number
from training.live_line import duration
from training.pages.page import write_page
from training.pages.parts import Curves, Part, Section, Table
from training.runs.folder import RunFolder

FILE = "report.html"


def write_report(folder: RunFolder, examples: Sequence[Part], inside: Sequence[Section] = ()) -> None:
    """Writes a finished run's `report.html`.

    Args:
        folder: The run.
        examples: What the template shows of its answers.
        inside: What was seen inside the network; it comes first.
    """
    record, metrics = folder.read_record(), folder.read_metrics() or {}
    sections = [
        *inside,
        Section("Result", [_result(metrics), *_per_class(metrics)]),
        Section("Training", [*_curves(folder, metrics), _facts(metrics)]),
        *([Section("Examples", examples)] if examples else []),
        Section("Configuration", [Table("", (), [(name, str(value)) for name, value in record.config.items()])]),
    ]
    write_page(folder.path / FILE, f"{record.template}: {folder.path.name}", sections, f"data: {record.source.name}")


def _result(metrics: dict) -> Table:
    splits = [split for split in ("validation", "test") if metrics.get(split)]
    names = dict.fromkeys(name for split in splits for name in metrics[split])
    rows = [[name, *(number(metrics[split].get(name)) for split in splits)] for name in names]
    return Table("Metrics", ["", *splits], rows)


def _per_class(metrics: dict) -> list[Table]:
    tables = []
    for split, classes in (metrics.get("per_class") or {}).items():
        if classes:
            headings = list(next(iter(classes.values())))
            rows = [[name, *(number(figures[heading]) for heading in headings)] for name, figures in classes.items()]
            tables.append(Table(f"Each class, {split}", ["", *headings], rows))
    return tables


def read_history(folder: RunFolder) -> list[dict[str, float | None]]:
    """A run's `history.csv`, a dictionary for each epoch; nothing before the first one has ended."""
    try:
        with open(folder.path / "history.csv", newline="", encoding="utf-8") as stream:
            return [{name: _number_or_none(text) for name, text in row.items()} for row in csv.DictReader(stream)]
    except FileNotFoundError:
        return []


def curve_of(history: list[dict[str, float | None]], name: str) -> list[tuple[float, float]]:
    """A figure of each epoch that has it, as points."""
    return [(row["epoch"], row[name]) for row in history if row.get(name) is not None]  # type: ignore[misc]


def _curves(folder: RunFolder, metrics: dict) -> list[Curves]:
    history = read_history(folder)

    def lines(names):
        return {name.replace("_", " "): curve_of(history, name) for name in names}

    measured = [name for name in history[0] if name.startswith("validation_") and name != "validation_loss"]
    best = {metrics["best_epoch"]: f"best: epoch {metrics['best_epoch']}"}
    curves = [Curves("Loss", "epoch", lines(["loss", "validation_loss"]), marks=best)]
    # Figures of different sizes would flatten each other: a drawing for those up to 1, one for the others.
    small = [name for name in measured if all(0 <= (row[name] or 0) <= 1 for row in history)]
    for names in (small, [name for name in measured if name not in small]):
        if names:
            curves.append(Curves("Metrics", "epoch", lines(names), marks=best))
    return curves


def _facts(metrics: dict) -> Table:
    facts = {
        "epochs": f"{metrics['epochs']}{' (stopped early)' if metrics['stopped_early'] else ''}",
        "weights of epoch": str(metrics["best_epoch"]),
        "parameters": f"{metrics['parameters']:,}",
        "time": duration(metrics["train_seconds"]),
        "examples per second": f"{metrics['examples_per_second']:,.0f}",
        "device": metrics["device"],
        **{name: str(version) for name, version in metrics["versions"].items()},
    }
    return Table("Facts", (), list(facts.items()))


def _number_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
