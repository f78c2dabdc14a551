"""What a run's `config.json` says: which template it is of, which version wrote it, its data and its configuration."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from data.sources.source import Source

RUNS = Path("runs")

# Fields that change nothing of what a run computes up to a given epoch; `data` is kept as what it was resolved to.
NOT_IDENTITY = ("epochs", "checkpoint_steps", "data")

# Of an identity, what is told by a checksum.
CONTENTS = ("data", "vocabulary")

# What is kept of a source: all that tells the same data again.
KEPT_OF_SOURCE = ("kind", "name", "path", "notice", "fingerprint", "requested", "resolved")


@dataclass(frozen=True)
class Record:
    """What makes a folder a run's folder.

    Args:
        template: The template's name.
        version: The version of the project that wrote it last.
        source: Where the data comes from; `source.resolved` are the fields of the configuration that it decided.
        config: A field of the template's `Config` -> its value, as JSON knows it.

    Example:
        Record("ner", "0.1.0", source, dataclasses.asdict(Config()))
    """

    template: str
    version: str
    source: Source
    config: dict

    def identity(self) -> dict:
        """What makes two runs the same run: not `epochs`, so that a larger number of epochs extends a run."""
        return {"template": self.template, **identity_of(self.config), "data": self.source.fingerprint}

    def default_path(self) -> Path:
        """`runs/<template>-<8 hex>` under the current directory: the same command finds the same folder."""
        text = json.dumps(self.identity(), sort_keys=True)
        return RUNS / f"{self.template}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def as_json(self) -> dict:
        """The record as `config.json` holds it."""
        source = {name: getattr(self.source, name) for name in KEPT_OF_SOURCE}
        source["path"] = self.source.path and str(self.source.path)
        return {"template": self.template, "version": self.version, "source": source, "config": self.config}


def identity_of(config: dict) -> dict:
    """The fields of a configuration that make two runs different runs."""
    return {name: value for name, value in config.items() if name not in NOT_IDENTITY}


def differences(before: dict, now: dict) -> str:
    """In what two identities differ, for a message: "units (8 there, 16 here), data (other contents)"; or ""."""
    changed = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return ", ".join(
        f"{name} (other contents)" if name in CONTENTS else f"{name} ({before.get(name)} there, {now.get(name)} here)"
        for name in changed[:5]
    )


def as_record(found) -> Record | None:
    """Reads a record from what a `config.json` holds; None if that is not a run's."""
    try:
        given = found["source"]
        source = {name: given[name] for name in KEPT_OF_SOURCE if name in given}
        source["path"] = source["path"] and Path(source["path"])
        record = Record(found["template"], found.get("version", "?"), Source(**source), found["config"])
        are_maps = isinstance(record.config, dict) and isinstance(record.source.resolved, dict)
        return record if isinstance(record.template, str) and are_maps else None
    except (KeyError, TypeError):
        return None
