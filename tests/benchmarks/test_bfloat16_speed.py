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
    for name, apart in found["loss_apart"].items():
        # Something is rounded to bfloat16, and nothing else differs.
        assert (apart < 1e-5) if name.endswith("float32") else (0 < apart < bfloat16_speed.TOLERANCE), name


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
