"""A run on a data set of the hub, which moves on and goes away."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from tests.command import cli
from tests.hub_server import Repository

FLAGS = ("--data", "hf:own/reviews", "--units", "3", "--embedding-size", "3", "--run-dir", "run", "--no-test")


def parquet(*texts):
    rows = [{"text": text, "label": label} for text in texts for label in ("good", "bad")]
    pq.write_table(pa.Table.from_pylist(rows), stream := io.BytesIO())
    return stream.getvalue()


def test_a_run_keeps_the_revision_that_it_began_with(hub, gone, tmp_path):
    files = {"en/train.parquet": parquet("a", "b", "c"), "en/test.parquet": parquet("d")}
    hub.repositories["own/reviews"] = Repository({"main": files})
    name = f"hf:own/reviews/en@{hub.repositories['own/reviews'].commit('main')}"
    done = cli("run", "sentiment", *FLAGS, "--epochs", "1", cwd=tmp_path)
    assert f"Data: {name}\n" in done.stdout
    assert f"Downloading 2 files, 0.1 MiB, from {hub.url[7:]}: {name}." in done.stderr
    source = json.loads((tmp_path / "run" / "config.json").read_text())["source"]
    assert (source["kind"], source["name"], source["requested"]) == ("hub", name, "hf:own/reviews")
    hub.repositories["own/reviews"].branches["main"] = {"en/train.parquet": parquet("e", "f")}
    hub.asked.clear()
    done = cli("run", "sentiment", *FLAGS, "--epochs", "2", cwd=tmp_path)
    assert f"Data: {name}\n" in done.stdout
    gone()
    evaluated = json.loads(cli("evaluate", "run", "--json", cwd=tmp_path).stdout)
    assert (evaluated["data"], evaluated["split"], evaluated["rows"]) == (name, "test", 2)
    assert hub.asked == []
    done = cli("run", "sentiment", "--data", "hf:own/nothing", cwd=tmp_path, status=1)
    assert done.stderr.startswith("Error: hf:own/nothing: 127.0.0.1:9 does not answer (")
    assert done.stderr.count("\n") == 1
