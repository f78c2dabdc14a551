"""A flag for each field of a template's `Config`, with the comments of its source as help, and its sections."""

import ast
import dataclasses
import functools
import inspect
import io
import re
import tokenize
import types
import typing
from collections.abc import Collection

import click

from training.configuration import bounds_of, flag, names_a_run

# A comment that begins a section of fields: "# --- Network ---".
SECTION = re.compile(r"-+ (.+?) -+")


class FieldOption(click.Option):
    """A field's flag, which stands in the field's section and names the field's bounds beside the default."""

    def __init__(self, *arguments, section: str, bounds: str, **settings):
        super().__init__(*arguments, **settings)
        self.section, self.bounds = section, bounds

    def get_help_extra(self, ctx):
        extra = super().get_help_extra(ctx)
        return {**extra, "range": self.bounds} if self.bounds else extra


class SectionedCommand(click.Command):
    """A command whose help lists the flags of fields in their sections."""

    def format_options(self, ctx, formatter):
        sections: dict[str, list] = {}
        for parameter in self.get_params(ctx):
            if not isinstance(parameter, click.Argument):
                section = getattr(parameter, "section", "Options")
                sections.setdefault(section, []).append(parameter.get_help_record(ctx))
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


@functools.cache
def comments_of(config_class: type) -> dict[str, tuple[str, str]]:
    """What the comments in a dataclass say of its fields.

    Args:
        config_class: The dataclass, its source at hand.

    Returns:
        Field name -> its section, "Options" before the first, and its help: the comment right above it.
    """
    source = inspect.getsource(config_class)
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }
    sections = {line: match[1] for line, comment in comments.items() if (match := SECTION.fullmatch(comment))}
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            line = node.lineno - 1
            lines: list[str] = []
            while line in comments and line not in sections:
                lines.insert(0, comments[line])
                line -= 1
            above = ["Options", *(name for start, name in sections.items() if start < node.lineno)]
            found[node.target.id] = above[-1], " ".join(lines)
    return found


def options(config_class: type, names: Collection[str] | None = None) -> list[click.Option]:
    """One click option per field of a config class.

    Args:
        config_class: The dataclass.
        names: Only these fields, without a default (None means: not given); every field if None.

    Returns:
        The options, in the order of the fields.
    """
    comments, hints = comments_of(config_class), typing.get_type_hints(config_class, include_extras=True)
    made: list[click.Option] = []
    for field in dataclasses.fields(config_class):
        if names is not None and field.name not in names:
            continue
        default = field.default if names is None else None
        hint, (section, help_text), name = hints[field.name], comments[field.name], flag(field.name)
        settings: dict[str, typing.Any] = {
            "default": default,
            "show_default": default not in (None, ""),
            "help": help_text,
        }
        settings |= {"section": section, "bounds": " and ".join(bound.words for bound in bounds_of(hint))}
        kind = _click_type(hint)
        if kind is bool:
            made.append(FieldOption([f"{name}/--no-{name[2:]}"], **settings))
        else:
            metavar = "RUN" if names_a_run(hint) else None
            made.append(FieldOption([name], type=kind, metavar=metavar, **settings))
    return made


def _click_type(hint):
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _click_type(hint.__origin__)
    if origin is typing.Literal:
        return click.Choice(typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return next(_click_type(part) for part in typing.get_args(hint) if part is not type(None))
    return hint
