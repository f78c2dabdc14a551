"""The verb `show`: a page about a run, and about what goes on in its network while it answers."""

import dataclasses
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from data.errors import UserError
from data.files import check_file
from training.commands.command_line import debug_option, one_line
from training.commands.flags import SectionedCommand
from training.commands.run_argument import RUN_HELP, field_options, open_trained_run
from training.commands.template import Template
from training.runs.folder import RunFolder

# Characters of an input that stand above what is shown of it.
LONGEST_HEADING = 160


def command(templates: dict[str, Template]) -> click.Command:
    """The verb, for the runs of some templates: a template's name -> the template."""
    return SectionedCommand(
        "show",
        params=[
            click.Argument(["run"], metavar="RUN"),
            click.Argument(["further"], nargs=-1, metavar="[RUN]... [INPUT]..."),
            debug_option(),
            *field_options(templates, "ANSWERING"),
        ],
        callback=lambda **values: _show(templates, **values),
        help=(
            "Write RUN/report.html: its curves and results, and what its network does with each INPUT (typical ones "
            "of its data if there is none). Further RUNs, folders of the same template, are compared: how their "
            f"gradients fade back in time.\n\n{RUN_HELP}"
        ),
    )


def _show(templates: dict[str, Template], run: str, further: Sequence[str], **flags) -> None:
    template, folder, _ = opened = open_trained_run(templates, run, flags)
    if not folder.is_finished():
        raise UserError(f"{folder.path}: not finished yet; its own command goes on with it")
    count = next((place for place, text in enumerate(further) if not _is_run(text)), len(further))
    compared = [opened, *(open_trained_run(templates, name, flags) for name in further[:count])]
    for other, other_folder, _ in compared:
        if other is not template:
            raise UserError(f"{other_folder.path}: a run of {other.name}; it is compared with one of {template.name}")
    if not template.shows_inside:
        raise UserError(f"{template.name}: this template does not show what is inside its network")
    inputs = list(further[count:])
    if template.config.INPUTS_ARE_FILES:
        for path in inputs:
            check_file(path)
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    from training.pages.report import FILE, write_report

    shown = sections(template, compared, inputs)
    write_report(folder, template.inside.examples(folder), shown)
    pictures = _draw(folder, shown)
    click.echo(f"{folder.path / FILE}: open it in a browser ({pictures} pictures in plots/inside_*.png)")


def _draw(folder: RunFolder, shown: Sequence) -> int:
    """Draws the unrolled networks of some sections as PNGs, in the place of those of an earlier call."""
    from training.pages.figure import draw_unrolled
    from training.pages.unrolled import Unrolled

    for old in folder.plot_file("inside").parent.glob("inside_*.png"):
        old.unlink()
    drawn = [part for section in shown for part in section.parts if isinstance(part, Unrolled)]
    for number, unrolled in enumerate(drawn, start=1):
        draw_unrolled(unrolled, folder.plot_file(f"inside_{number}"))
    return len(drawn)


def sections(template: Template, compared: Sequence[tuple], inputs: list[str]) -> list:
    """A section of a page for each input.

    Args:
        template: The template.
        compared: The runs, (template, folder, config) each; the first is the one that is shown.
        inputs: What is looked at; typical inputs if empty.

    Returns:
        The `training.pages.parts.Section`s.
    """
    from training.pages.parts import Section
    from training.pages.states import back_in_time

    _, folder, config = compared[0]
    insides = {_name(other, compared): template.inside.Inside(other, settings) for _, other, settings in compared}
    shown = []
    for text in inputs or _typical_inputs(template, folder, config):
        looks = {name: inside.look(text) for name, inside in insides.items()}
        look = next(iter(looks.values()))
        if look.error:
            click.echo(f"{look.given!r}: {look.error}", err=True)
        fading = [
            back_in_time(
                f"The gradient back in time: L is {answer}",
                {name: other.fading[answer] for name, other in looks.items() if answer in other.fading},
                "|dL/dh_t| of the first layer that reads forward, as a share of its value at the last step.",
                look.marks,
            )
            for answer in look.fading
        ]
        answer = f"answer: {look.answer}" if not look.error else f"no answer: {look.error}"
        heading = look.given if len(look.given) <= LONGEST_HEADING else f"{look.given[:LONGEST_HEADING]}…"
        shown.append(Section(heading, [*look.parts, *fading], answer))
    return shown


def _typical_inputs(template: Template, folder: RunFolder, config) -> list:
    """Some inputs of the run's own data; where they are gone, the one that the template has for an example."""
    own = dataclasses.replace(config, data=folder.read_record().source.as_data)
    try:
        return template.inside.typical_inputs(template.pipeline.find_source(own, to_train=False), own)
    except (UserError, OSError) as error:
        if template.config.INPUTS_ARE_FILES:
            raise UserError(f"{one_line(error)}; name an INPUT to look at") from None
        click.echo(f"{one_line(error)}; the template's own example is looked at", err=True)
        return shlex.split(template.config.EXAMPLE_INPUT)


def _is_run(text: str) -> bool:
    return os.path.isdir(text) and RunFolder(Path(text)).config_file.is_file()


def _name(folder: RunFolder, compared: Sequence[tuple]) -> str:
    """What a curve is called: the folder, and the cell where that differs."""
    cells = {config.cell for _, _, config in compared}
    config = next(config for _, other, config in compared if other is folder)
    return f"{folder.path} ({config.cell})" if len(cells) > 1 else str(folder.path)
