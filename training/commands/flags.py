"""A flag for each field of a template's `Config`, and commands whose help shows their flags in sections."""

import types
import typing

import click

from data.errors import UserError
from training.configuration import Field, fields_of, flag


class FieldOption(click.Option):
    """A field's flag; its help names the field's bounds beside the default."""

    def __init__(self, field: Field, **settings):
        self.section = field.section
        self._bounds = " and ".join(bound.words for bound in field.bounds)
        super().__init__(**settings)

    def get_help_extra(self, ctx):
        extra = super().get_help_extra(ctx)
        return {**extra, "range": self._bounds} if self._bounds else extra


class SectionedCommand(click.Command):
    """A command whose help lists its options under the sections of the fields, each where it first occurs.

    Args:
        own_section: The section of the options that are no fields; it comes last if it is one of the fields' too.
    """

    def __init__(self, *arguments, own_section: str = "Options", **settings):
        super().__init__(*arguments, **settings)
        self.own_section = own_section

    def format_options(self, ctx, formatter):
        sections: dict[str, list] = {}
        for parameter in self.get_params(ctx):
            if not isinstance(parameter, click.Argument):
                section = getattr(parameter, "section", "") or self.own_section
                sections.setdefault(section, []).append(parameter.get_help_record(ctx))
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)


def options(config_class: type, names: tuple[str, ...] | None = None) -> list[click.Option]:
    """One click option per field of a config class.

    Args:
        config_class: The dataclass.
        names: Only these fields, without a default (None means: not given); every field if None.

    Returns:
        The options, in the order of the fields.
    """
    return [
        _option(field, field.default if names is None else None)
        for field in fields_of(config_class)
        if names is None or field.name in names
    ]


def build(config_class: type, values: dict):
    """Makes a config of flag values; a value out of bounds is wrong usage (exit code 2).

    Args:
        config_class: The dataclass.
        values: Field name -> value.

    Raises:
        click.UsageError: With the message of the config's own check.
    """
    try:
        return config_class(**values)
    except UserError as error:
        raise click.UsageError(str(error)) from None


def _option(field: Field, default) -> FieldOption:
    kind, name = _click_type(field.kind), flag(field.name)
    settings = {"default": default, "show_default": default not in (None, ""), "help": field.help}
    if kind is bool:
        return FieldOption(field, param_decls=[f"{name}/--no-{name[2:]}"], **settings)
    metavar = "RUN" if field.names_a_run else None
    return FieldOption(field, param_decls=[name], type=kind, metavar=metavar, **settings)


def _click_type(hint):
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return click.Choice(typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return next(_click_type(part) for part in typing.get_args(hint) if part is not type(None))
    return hint
