"""What `benchmarks.ner_speed` has measured, as a table and in sentences."""

from rich.console import Console
from rich.table import Table

FAMILIES = {"keras": "Keras", "torch": "PyTorch"}


def describe(agreement: dict) -> str:
    """What was compared, in one sentence."""
    differences = ", ".join(f"{name} {other['loss_difference']:.0e}" for name, other in agreement["others"].items())
    others = max(other["share_of_other_tags"] for other in agreement["others"].values())
    return (
        f"with the same weights, without dropout, no loss of {agreement['sentences']} sentences differs from ours by "
        f"more than {agreement['tolerance']:g} max(1, loss): at most by {differences}; {others:.2%} of the tags differ"
    )


def print_report(record: dict, console: Console) -> None:
    """Prints the times in a table, and the ratios."""
    table = Table(title=f"The ner template's network on {record['data']}, float32, sentences per second")
    table.add_column("implementation")
    extrapolated = " (extrapolated)" if record["train"]["epoch_is_extrapolated"] else ""
    for header in ("training", "quartiles", f"s per epoch{extrapolated}", "tagging", "quartiles", "warm-up s"):
        table.add_column(header, justify="right")
    for name, warm_up in record["warm_up"].items():
        if "failed" in warm_up:
            table.add_row(name, "failed")
            continue
        trained, tagged = (record[work]["implementations"][name] for work in ("train", "tag"))
        cells = []
        for work, more in ((trained, [f"{trained['epoch_seconds']:.1f}"]), (tagged, [])):
            lower, upper = work["quartiles"]
            cells += [f"{work['sentences_per_second']:,.0f}", f"{lower:,.0f} - {upper:,.0f}", *more]
        table.add_row(name, *cells, f"{warm_up['seconds']:.1f}")
    console.print(table)
    console.print(
        "Medians over rounds of the sentences per second. warm-up: tracing, compiling, a batch of every length.",
        style="dim",
        highlight=False,
    )
    for family, written in FAMILIES.items():
        if family in record["train"]["best"]:
            ratios = ", ".join(
                f"{title} {record[work]['ratios'][f'{family}_over_ours']:.2f} ({record[work]['best'][family]})"
                for work, title in (("train", "training"), ("tag", "tagging"))
            )
            console.print(f"{written}'s time over ours, median over rounds: {ratios}", highlight=False)
    machine = record["machine"]
    console.print(f"{machine['processor']}, {machine['cores']} cores", highlight=False)
