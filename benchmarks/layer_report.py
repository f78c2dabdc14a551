"""Tables and a picture of what `benchmarks.layers` has measured."""

import statistics
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.layer_peers import KERAS, OURS
from benchmarks.layer_problems import CELLS, SHAPES, TRIAL_SHAPES
from data.writing import replacing

NAMES = (*OURS, *KERAS, "torch", "jax")
TITLES = {"train": "Training step: outputs and all gradients", "infer": "Inference call: all outputs"}
PEERS = {"keras": ("Keras", "tab:red"), "torch": ("torch", "tab:orange"), "jax": ("jax", "tab:blue")}
NOTE = (
    "Medians in milliseconds. Ratios are the peer's time over ours, each at its own best setting: above 1, ours is "
    "faster. floor: the matrix products alone, those with W_h as one chain compiled by XLA, which uses little more "
    "than one core (a layer that shares its rows among the cores can come in below); rate: as many operations at the "
    "speed of a 1024 x 1024 x 1024 product. first call: tracing and compiling the best of ours. MiB: peak growth in "
    "training, best of ours / best of Keras."
)


def rows(record: dict, mode: str) -> list[tuple[str, str, dict]]:
    """Cell, shape and entry of everything measured in a mode (or "memory"), in a fixed order."""
    return [
        (cell, shape, record["results"][cell][shape][mode])
        for cell in CELLS
        for shape in (*SHAPES, *TRIAL_SHAPES)
        if mode in record["results"].get(cell, {}).get(shape, {})
    ]


def geometric_mean(record: dict, ratio: str) -> tuple[float, int] | None:
    """The geometric mean of a ratio over the training table, and over how many rows; None without any."""
    ratios = [entry["ratios"][ratio] for _, _, entry in rows(record, "train") if ratio in entry["ratios"]]
    return (statistics.geometric_mean(ratios), len(ratios)) if ratios else None


def print_tables(record: dict, console: Console) -> None:
    """Prints times and ratios of training and of inference, peak memory, and the geometric means."""
    for mode, title in TITLES.items():
        if rows(record, mode):
            console.print(_times(record, mode, title))
    if rows(record, "memory"):
        console.print(_memory(record))
    console.print(NOTE, style="dim", highlight=False)
    machine = record["machine"]
    sets = " ".join(machine["instruction_sets"])
    console.print(f"{machine['processor']}, {machine['cores']} cores, {sets}", highlight=False)
    for family in PEERS:
        mean = geometric_mean(record, f"{family}_over_ours")
        if mean is not None:
            console.print(
                f"Training, geometric mean over {mean[1]} rows: {PEERS[family][0]} / ours {mean[0]:.2f}",
                highlight=False,
            )


def _times(record, mode, title):
    table = Table(title=title)
    for column in ("cell", "shape"):
        table.add_column(column, overflow="fold")
    headers = [*(name.replace(" ", "\n") for name in NAMES), "floor", "rate"]
    headers += [f"{name}\n/ ours" for name, _ in PEERS.values()] + ["ours\n/ floor"]
    for header in headers:
        table.add_column(header, justify="right")
    table.add_column("best of ours,\nfirst call")
    if mode == "train":
        table.add_column("MiB ours\n/ Keras", justify="right")
    previous = None
    for cell, shape, entry in rows(record, mode):
        if previous not in (None, cell):
            table.add_section()
        implementations, ratios, best = entry["implementations"], entry["ratios"], entry["best"]
        cells = [cell if cell != previous else "", shape]
        cells += [_milliseconds(implementations.get(name)) for name in NAMES]
        cells += [_number(entry["floor"]["median_ms"]), _number(entry["floor"]["ms_at_rate"])]
        cells += [_ratio(ratios.get(f"{family}_over_ours")) for family in PEERS]
        cells.append(f"{ratios['ours_over_floor']:.2f}")
        cells.append(f"{best['ours']}, {implementations[best['ours']]['first_call_seconds']:.1f} s")
        if mode == "train":
            memory = record["results"][cell][shape].get("memory", {"implementations": {}})["implementations"]
            cells.append(" / ".join(_mebibytes(memory.get(best[family])) for family in ("ours", "keras")))
        table.add_row(*cells)
        previous = cell
    return table


def _memory(record):
    table = Table(title="Peak memory of training: MiB over the moment before the first call (what a step needs)")
    for column in ("cell", "shape"):
        table.add_column(column)
    for name in NAMES:
        table.add_column(name.replace(" ", "\n"), justify="right")
    previous = None
    for cell, shape, entry in rows(record, "memory"):
        if previous not in (None, cell):
            table.add_section()
        found = [_mebibytes(entry["implementations"].get(name), with_step=True) for name in NAMES]
        table.add_row(cell if cell != previous else "", shape, *found)
        previous = cell
    return table


def _number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _milliseconds(peer):
    if peer is None:
        return "-"
    return _number(peer["median_ms"]) if "median_ms" in peer else "failed"


def _ratio(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if value >= 1 else f"[bold red]{value:.2f}[/]"


def _mebibytes(peer, with_step=False):
    if peer is None:
        return "-"
    if "mib" not in peer:
        return "failed"
    step = peer["mib_of_a_step"] if with_step else None
    return _number(peer["mib"]) if step is None else f"{_number(peer['mib'])} ({_number(step)})"


def plot(record: dict, path: Path) -> None:
    """Draws the ratios, a panel for training and one for inference.

    Args:
        record: What has been measured.
        path: The `.png` to write.
    """
    # Not pyplot: it would look for a display.
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    modes = [mode for mode in TITLES if rows(record, mode)]
    widest = max(len(rows(record, mode)) for mode in modes)
    figure = Figure(figsize=(max(7, 2 + 0.65 * widest), 0.6 + 4.2 * len(modes)), layout="constrained")
    for axes, mode in zip(figure.subplots(len(modes), 1, squeeze=False)[:, 0], modes, strict=True):
        entries = rows(record, mode)
        # A gap between the cells.
        cells = list(dict.fromkeys(cell for cell, _, _ in entries))
        places = [place + 0.8 * cells.index(cell) for place, (cell, _, _) in enumerate(entries)]
        width = 0.8 / len(PEERS)
        for number, (family, (name, colour)) in enumerate(PEERS.items()):
            ratio = f"{family}_over_ours"
            pairs = [
                (place + (number - 1) * width, entry["ratios"][ratio])
                for place, (_, _, entry) in zip(places, entries, strict=True)
                if ratio in entry["ratios"]
            ]
            if pairs:
                positions, values = zip(*pairs, strict=True)
                # From 1 upwards where ours is faster, downwards where it is slower.
                heights = [value - 1 for value in values]
                axes.bar(positions, heights, width, bottom=1, color=colour, label=f"{name} / ours")
        floors = [entry["ratios"]["ours_over_floor"] for _, _, entry in entries]
        axes.plot(places, floors, "kD", markersize=4, label="ours / floor (1: nothing but the products)")
        axes.axhline(1, color="black", linewidth=1)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 1.5, 2, 3, 5, 7)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
        axes.set_xticks(places, [shape.replace("_", "\n") for _, shape, _ in entries], fontsize=8)
        axes.set(title=f"{TITLES[mode]}; above 1, ours is faster", ylabel="ratio of times")
        for cell in cells:
            middle = statistics.mean(place for place, (name, _, _) in zip(places, entries, strict=True) if name == cell)
            axes.annotate(
                cell.replace("_", " ").replace("bidirectional ", "bidirectional\n"), (middle, 0.98),
                xycoords=("data", "axes fraction"), ha="center", va="top", fontsize=9, fontweight="bold",
            )  # fmt: skip
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.7), high * 1.5)
    labelled = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(labelled.values(), labelled, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)
