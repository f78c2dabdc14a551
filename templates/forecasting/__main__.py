"""This template's own command line, the same file in every template: `python -m NAME --help` beside the folder NAME."""

from rnn_layers import __version__
from training.commands.command_line import main
from training.commands.template import Template

if __name__ == "__main__":
    main(Template(__package__, __version__))
