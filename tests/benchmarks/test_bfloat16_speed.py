"""The benchmark of training in bfloat16: all that is timed computes the same, and what is printed of it."""

import click
import pytest

from benchmarks import bfloat16_speed
from benchmarks.kills import write_small_data
from benchmarks.processes import installed, process_for_each


@pytest.mark.parametrize("template", bfloat16_speed.TEMPLATES)
def test_all_train_in_both_precisions_from_the_same_losses(template, tmp_path):
    typed = f"{template}={write_small_data(template, tmp_path)} --units 8 --embedding-size 6 --batch-size 4"
    config = bfloat16_speed.configs_of_each((typed,))[template]
    with process_for_each([template]) as processes:
        found = processes[template].submit(bfloat16_speed.measure, template, config, quick=True).result()
    names = {name.rsplit(" ", 1)[0] for name in found["per_second"]}
    assert names >= {"ours", "keras", *installed("torch")} and "keras jit" not in names
    assert (
        found["per_second"].keys()
        == found["loss_apart"].keys()
        == {f"{name} {precision}" for name in names for precision in ("float32", "bfloat16")}
    )
    assert all(found["per_second"].values())
    # Ours is rounded to bfloat16; `measure` has compared how far all lie apart.
    assert found["loss_apart"]["ours bfloat16"] > 0 == found["loss_apart"]["ours float32"]


def product_in(precision: str) -> str:
    import torch

    bfloat16_speed.compute_in(precision)
    ones = torch.ones(2, 2)
    return str((ones @ ones).dtype)


@pytest.mark.skipif(not installed("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("precision", bfloat16_speed.PRECISIONS)
def test_pytorch_computes_its_products_in_the_precision(precision):
    with process_for_each(["torch"]) as processes:
        for _ in range(2):
            assert processes["torch"].submit(product_in, precision).result() == f"torch.{precision}"


def test_what_computes_something_else_is_not_timed(monkeypatch):
    def peers_with(losses):
        pairs = [(name, bfloat16_speed.Peer(lambda batches: None, lambda _, each=each: each)) for name, each in losses]
        return lambda *_: ([1] * 4, len, iter(pairs))

    config = bfloat16_speed.configs_of_each(())["ner"]
    monkeypatch.setattr(bfloat16_speed, "installed", lambda *_: [])
    for wrong in (1.01, float("nan")):
        monkeypatch.setitem(bfloat16_speed.MAKERS, "ner", peers_with([("ours", 1.0), ("keras", wrong)]))
        with pytest.raises(RuntimeError, match="ner: not the same is computed"):
            bfloat16_speed.measure("ner", config, quick=True)


def test_ours_stand_beside_the_fastest_of_a_library_in_the_same_precision(capsys):
    speeds = {"ours float32": 100, "ours bfloat16": 200, "keras bfloat16": 100, "keras float32": 900}
    speeds |= {"torch bfloat16": 50, "torch packed bfloat16": 160, "torch float32": 900}
    bfloat16_speed.print_rows({"ner": {"per_second": speeds}})
    row = next(line for line in capsys.readouterr().out.splitlines() if "ner" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["ner", "100", "200", "2.00", "2.00", "1.25"]


def test_data_and_flags_of_each_template_are_taken():
    typed = "translation=multi30k --source-language de --target-language en --units 8"
    found = bfloat16_speed.configs_of_each((typed,))
    translation = found["translation"]
    assert (translation.data, translation.source_language, translation.units) == ("multi30k", "de", 8)
    assert (found["ner"].data, found["ner"].strategy) == ("sample", "one")
    for wrong in ("sentiment=sample", "ner", "ner="):
        with pytest.raises(click.UsageError, match="expected TEMPLATE=DATA"):
            bfloat16_speed.configs_of_each((wrong,))
    with pytest.raises(click.UsageError, match="No such option '--unit'"):
        bfloat16_speed.configs_of_each(("ner=sample --unit 8",))


def test_the_record_says_what_was_measured_and_not_where_it_lies(tmp_path):
    assert bfloat16_speed.without_path(f"translation={tmp_path} --units 8") == "translation=DATA --units 8"
    assert bfloat16_speed.without_path("ner=sample") == "ner=sample"
