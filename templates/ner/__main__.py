"""This template's own command line, the same file in every template: `python -m NAME --help` beside the folder NAME."""

from pathlib import Path

from data.errors import UserError
from rnn_layers import __version__
from training.commands.command_line import Template, main


# Imported inside functions: help and the user's first mistakes need no TensorFlow.
def _config():
    from . import config

    return config


def _pipeline():
    from . import pipeline

    return pipeline


def _train():
    from . import train

    return train


def _evaluate():
    from . import evaluate

    return evaluate


def _serving():
    from . import serving

    return serving


FOLDER = Path(__file__).resolve().parent
TEMPLATE = Template(FOLDER, _config, _pipeline, _train, _evaluate, _serving, __version__, (UserError,))

if __name__ == "__main__":
    main(TEMPLATE)
