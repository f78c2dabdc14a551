"""A template's frozen `Config` dataclass and its command-line flags: one place states each field, its default and its help."""

import ast
import dataclasses
import inspect
import io
import tokenize
import types
import typing

import click

from data.errors import UserError

# A flag that is acted upon elsewhere than in the command's own function.
QUIET_FLAG = {"is_flag": True, "is_eager": True, "expose_value": False}


def debug_option() -> click.Option:
    """The flag `--debug`; it is looked for on the command line when an error is caught."""
    return click.Option(["--debug"], help="Show the traceback of an error.", **QUIET_FLAG)


def flag(name: str) -> str:
    """The flag of a field: "batch_size" -> "--batch-size"."""
    return "--" + name.replace("_", "-")


def check_at_least(config, minimum: float, *names: str) -> None:
    """Refuses a field below `minimum`.

    Raises:
        UserError: Names the flag, the bound and the value.
    """
    for name in names:
        if not getattr(config, name) >= minimum:
            raise UserError(f"{flag(name)} must be at least {minimum}, got {getattr(config, name)}")


def check_at_most(config, maximum: float, *names: str) -> None:
    """Refuses a field above `maximum`.

    Raises:
        UserError: Names the flag, the bound and the value.
    """
    for name in names:
        if not getattr(config, name) <= maximum:
            raise UserError(f"{flag(name)} must be at most {maximum}, got {getattr(config, name)}")


def check_share(config, *names: str) -> None:
    """Refuses a field outside [0, 1).

    Raises:
        UserError: Names the flag, the bounds and the value.
    """
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise UserError(f"{flag(name)} must be at least 0 and below 1, got {getattr(config, name)}")


def field_help(config_class: type) -> dict[str, str]:
    """The comment above each field of a dataclass, as its help text.

    Args:
        config_class: The dataclass, its source at hand.

    Returns:
        Field name -> the comment lines directly above it, joined.
    """
    source = inspect.getsource(config_class)
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }
    help_texts = {}
    for node in ast.parse(source).body[0].body:
        if isinstance(node, ast.AnnAssign):
            line, lines = node.lineno - 1, []
            while line in comments:
                lines.insert(0, comments[line])
                line -= 1
            help_texts[node.target.id] = " ".join(lines)
    return help_texts


def options(config_class: type, names: tuple[str, ...] | None = None) -> list[click.Option]:
    """One click option per field of a config class.

    Args:
        config_class: The dataclass.
        names: Only these fields, without a default (None means: not given); every field if None.

    Returns:
        The options, in the order of the fields.
    """
    help_texts, types_of = field_help(config_class), typing.get_type_hints(config_class)
    made = []
    for field in dataclasses.fields(config_class):
        if names is not None and field.name not in names:
            continue
        whole = names is None
        default = field.default if whole else None
        shown = whole and default not in (None, "")
        settings = {"default": default, "show_default": shown, "help": help_texts[field.name]}
        kind = _click_type(types_of[field.name])
        if kind is bool:
            made.append(click.Option([f"{flag(field.name)}/--no-{flag(field.name)[2:]}"], **settings))
        else:
            made.append(click.Option([flag(field.name)], type=kind, **settings))
    return made


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


def restore(config_class: type, record: dict, where) -> object:
    """Makes a config of a run's `config.json`.

    Args:
        config_class: The dataclass.
        record: What `config.json` holds.
        where: The run's path, for messages.

    Raises:
        UserError: The fields are not this version's.
    """
    known = {field.name for field in dataclasses.fields(config_class)}
    unknown = sorted(set(record["config"]) - known)
    if unknown:
        version = record.get("version", "?")
        raise UserError(f"{where}: made by version {version}, whose field {unknown[0]} this version does not have")
    return config_class(**record["config"])


def _click_type(hint):
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return click.Choice(typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return next(_click_type(part) for part in typing.get_args(hint) if part is not type(None))
    return hint
