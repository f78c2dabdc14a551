"""The user's mistakes about runs, devices and destinations."""


class RunError(ValueError):
    """A mistake that the user can mend; its one line says what is wrong, where, and what to do.

    The command line prints the message and exits with 1. Anything that is not a `RunError`, a `data.errors.DataError` or
    an `OSError` is a defect of the project and keeps its traceback.

    Example:
        raise RunError("runs/mine: not a run folder (no config.json); `python cli.py runs` lists the runs here")
    """
