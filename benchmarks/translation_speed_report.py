"""What `benchmarks.translation_speed` has measured, as a table and in sentences."""

from rich.console import Console
from rich.table import Table

FAMILIES = {"keras": "Keras", "torch": "PyTorch"}


def describe(agreement: dict) -> str:
    """What was compared, in one sentence."""
    differences = ", ".join(f"{name} {value:.0e}" for name, value in agreement["loss_differences"].items())
    return (
        f"with the same weights, without dropout, no loss of {agreement['sentences']} sentences differs from ours by "
        f"more than {agreement['tolerance']:g} max(1, loss): at most by {differences}"
    )


def print_report(record: dict, console: Console) -> None:
    """Prints the speeds in a table, and the ratios."""
    works = {"training\npieces / s": record["train"]}
    for width, work in record["translate"].items():
        title = "greedy" if width == "1" else f"beam of {width}"
        works[f"{title}\nsentences / s"] = work
    table = Table(
        title=f"The translation template's network on {record['data']}, {'-'.join(record['languages'])}, float32"
    )
    table.add_column("implementation")
    for title in works:
        table.add_column(title, justify="right")
        table.add_column("quartiles", justify="right")
    table.add_column("warm-up s", justify="right")
    for name, warm_up in record["warm_up"].items():
        cells = []
        for work in works.values():
            one = work["implementations"].get(name)
            cells += [f"{one['per_second']:,.0f}", "{:,.0f} - {:,.0f}".format(*one["quartiles"])] if one else ["-", ""]
        table.add_row(name, *cells, "failed" if "failed" in warm_up else f"{warm_up['seconds']:.1f}")
    console.print(table)
    console.print(
        "Medians over rounds. Pieces are the targets', ends included. warm-up: tracing, compiling, a few steps.",
        style="dim",
        highlight=False,
    )
    for family, written in FAMILIES.items():
        ratios = [
            f"{title.splitlines()[0]} {work['ratios'][f'{family}_over_ours']:.2f} ({work['best'][family]})"
            for title, work in works.items()
            if family in work["best"]
        ]
        if ratios:
            console.print(f"{written}'s time over ours, median over rounds: {', '.join(ratios)}", highlight=False)
    for title, work in works.items():
        for name, one in work.get("answers", {}).items():
            other = (
                f"; {one['others']:.1%} other answers, {one['ours_better']:.1%} score lower" if "others" in one else ""
            )
            pieces = f"{one['pieces_per_answer']:.1f} pieces per answer, mean score {one['mean_score']:.4f}"
            console.print(f"{title.splitlines()[0]}, {name}: {pieces}{other}", highlight=False)
    console.print(f"weights for translating: {record['weights']}", highlight=False)
    machine = record["machine"]
    console.print(f"{machine['processor']}, {machine['cores']} cores", highlight=False)
