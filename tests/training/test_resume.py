"""training.checkpoint: whatever a run depends on comes back, and what does not fit is refused."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from training.averaging import WeightAverage
from training.best_weights import BestWeights
from training.checkpoint import Position, load_checkpoint, save_checkpoint
from training.sealed_arrays import SEAL_SIZE, read_sealed, write_sealed


def small_model(units: int = 3):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def parts_of(model, optimizer) -> dict:
    return {"model": model, "optimizer": optimizer}


class Part:
    """Something with variables."""

    def __init__(self, variables):
        self.variables = variables


def train(model, optimizer, steps: int) -> None:
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(tf.ones((4, 2)), training=True) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)


def test_a_run_goes_on_from_a_checkpoint_in_the_same_bits_dropout_included(tmp_path):
    whole, whole_optimizer = small_model()
    parted, parted_optimizer = small_model()
    for ours, theirs in zip(parted.variables, whole.variables, strict=True):
        ours.assign(theirs)
    train(whole, whole_optimizer, 5)
    train(parted, parted_optimizer, 2)
    position = Position(epoch=1, batch=2, step=9, loss_sum=0.1 + 0.2, best=0.7, best_epoch=1, history=[{"loss": 1 / 3}])
    save_checkpoint(tmp_path / "latest.npz", parts_of(parted, parted_optimizer), position, {"device": "CPU"})

    resumed, resumed_optimizer = small_model()
    again, environment = load_checkpoint(tmp_path / "latest.npz", parts_of(resumed, resumed_optimizer))
    train(resumed, resumed_optimizer, 3)
    assert (again, environment) == (position, {"device": "CPU"})
    assert len(resumed.variables) == 3  # kernel, bias, the seed generator of dropout
    for ours, theirs in zip(
        resumed.variables + resumed_optimizer.variables, whole.variables + whole_optimizer.variables
    ):
        assert np.array_equal(ours.numpy(), theirs.numpy()), ours.path


def test_no_checkpoint_is_a_fresh_start(tmp_path):
    assert load_checkpoint(tmp_path / "none.npz", parts_of(*small_model())) == (Position(), {})


def test_a_checkpoint_of_another_model_or_of_another_run_is_refused_and_nothing_is_set(tmp_path):
    path, parts = tmp_path / "latest.npz", parts_of(*small_model(units=4))
    save_checkpoint(path, parts, Position(), {}, {"units": 4, "vocabulary": "1f", "seed": 0})
    others = parts_of(*small_model(units=3))
    with pytest.raises(UserError, match="does not fit .*--restart"):
        load_checkpoint(path, others)
    assert others["optimizer"].learning_rate == 0.1
    with pytest.raises(UserError, match=r"seed \(0 there, 1 here\), vocabulary \(other contents\); .*--restart"):
        load_checkpoint(path, parts, {"units": 4, "vocabulary": "2e", "seed": 1})
    load_checkpoint(path, parts, {"units": 4, "vocabulary": "1f", "seed": 0})


DAMAGES = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "without its last byte": lambda content: content[:-1],
    "without its seal": lambda content: content[:-SEAL_SIZE],
    "with a byte more": lambda content: content + b"\0",
    "first bit flipped": lambda content: flipped(content, 0),
    "middle bit flipped": lambda content: flipped(content, len(content) // 2),
    "last bit flipped": lambda content: flipped(content, len(content) - 1),
    "zeros": lambda content: bytes(len(content)),
}


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_told_and_the_one_before_it_is_gone_on_from(tmp_path, capsys, damage):
    path, previous = tmp_path / "latest.npz", tmp_path / "previous.npz"
    weight = keras.Variable([0.0], name="weight")
    for step in (1, 2, 3):
        weight.assign([float(step)])
        save_checkpoint(path, {"part": Part([weight])}, Position(step=step), {})
    path.write_bytes(damaged := DAMAGES[damage](path.read_bytes()))
    before = previous.read_bytes()
    for said in ("latest.npz is damaged; going on from the one before it, previous.npz, of step 2", "is gone"):
        assert load_checkpoint(path, {"part": Part([weight])})[0].step == 2 and weight.numpy() == [2.0]
        assert said in " ".join(capsys.readouterr().out.split())  # lines are as wide as the terminal
    # It is out of the way: the next checkpoint does not put it in the place of the one that is whole.
    assert previous.read_bytes() == before and (tmp_path / "damaged.npz").read_bytes() == damaged
    previous.write_bytes(DAMAGES[damage](before))
    with pytest.raises(UserError, match="latest.npz is gone, and previous.npz .*--restart"):
        load_checkpoint(path, {"part": Part([weight])})
    previous.unlink()
    path.write_bytes(damaged)
    with pytest.raises(UserError, match="latest.npz is damaged, and previous.npz .*--restart"):
        load_checkpoint(path, {"part": Part([weight])})


def test_every_flipped_bit_and_every_length_of_a_sealed_file_is_told(tmp_path):
    path = tmp_path / "arrays.npz"
    write_sealed(path, {"step": 1}, {"a": np.arange(3)})
    content = path.read_bytes()
    about, arrays = read_sealed(path)
    assert about == {"step": 1, "sealed": True} and arrays["a"].tolist() == [0, 1, 2]
    for place in range(0, len(content), 7):
        for damaged in (flipped(content, place), content[:place]):
            path.write_bytes(damaged)
            assert read_sealed(path) is None, place


def test_the_best_weights_are_those_of_the_checkpoint(tmp_path):
    """In a file of their own they were a later epoch's, where a checkpoint of an earlier one was gone on from."""
    path, (model, _) = tmp_path / "latest.npz", small_model()
    kernel, best = model.trainable_variables[0], BestWeights(model)
    for step in (1.0, 2.0):
        kernel.assign(np.full(kernel.shape, step))
        best.keep()
        save_checkpoint(path, {"model": model, "best": best}, Position(best_epoch=int(step)), {})
    path.write_bytes(b"")
    assert load_checkpoint(path, {"model": model, "best": best})[0].best_epoch == 1
    kernel.assign(np.zeros(kernel.shape))
    best.restore()
    assert (kernel.numpy() == 1.0).all()


def test_a_checkpoint_of_version_0_1_whose_best_weights_are_a_file_of_their_own_is_read(tmp_path):
    path, (model, _) = tmp_path / "latest.npz", small_model()
    parts = {"model": model, "best": BestWeights(model)}
    for name, value in (("latest", 1.0), ("best", 2.0)):
        arrays = {f"model/{variable.path}": np.full(variable.shape, value) for variable in model.variables}
        about = {"progress": {"epoch": 2, "best_epoch": 1, "rows": 0}, "environment": {}}
        record = {"record": np.array(json.dumps(about))} if name == "latest" else {}
        np.savez(tmp_path / f"{name}.npz", **record, **arrays)
    load_checkpoint(path, parts)
    assert (model.trainable_variables[0].numpy() == 1.0).all()
    parts["best"].restore()
    assert (model.trainable_variables[0].numpy() == 2.0).all()
    (tmp_path / "best.npz").write_bytes((tmp_path / "best.npz").read_bytes()[:-30])
    with pytest.raises(UserError, match="best.npz: missing or damaged.*--restart"):
        load_checkpoint(path, parts)


def test_variables_are_found_by_their_paths_wherever_they_stand(tmp_path):
    path = tmp_path / "latest.npz"
    one, other = (keras.Variable(np.full((2, 2), value), name=name) for value, name in ((1.0, "one"), (2.0, "other")))
    save_checkpoint(path, {"part": Part([one, other])}, Position(), {})
    exchanged = [keras.Variable(np.zeros((2, 2)), name=name) for name in ("other", "one")]
    load_checkpoint(path, {"part": Part(exchanged)})
    assert [variable.numpy()[0, 0] for variable in exchanged] == [2.0, 1.0]
    with pytest.raises(UserError, match="does not fit .*--restart"):
        load_checkpoint(path, {"part": Part([one, keras.Variable(np.zeros((2, 2)), name="another")])})
    with pytest.raises(UserError, match="does not fit .*--restart"):
        load_checkpoint(path, {"part": Part([one])})


def test_what_keras_numbers_by_the_process_is_found_in_order(tmp_path):
    """Dropout's seed generators have no names of their own: a model made before in the process changes their paths."""
    model, optimizer = small_model()
    train(model, optimizer, 1)
    save_checkpoint(tmp_path / "latest.npz", parts_of(model, optimizer), Position(), {})
    keras.layers.Dropout(0.5)
    again, again_optimizer = small_model()
    assert [variable.path for variable in again.variables] != [variable.path for variable in model.variables]
    load_checkpoint(tmp_path / "latest.npz", parts_of(again, again_optimizer))
    for ours, theirs in zip(again.variables + again_optimizer.variables, model.variables + optimizer.variables):
        assert np.array_equal(ours.numpy(), theirs.numpy()), ours.path


def test_a_checkpoint_of_version_0_1_whose_keys_are_numbers_is_read(tmp_path):
    arrays = {f"part/{number}": np.array([number]) for number in range(12)}
    position = {"epoch": 0, "batch": 2, "step": 2, "loss_sum": 12.0, "rows": 8}
    record = json.dumps({"progress": position, "environment": {}})
    np.savez(tmp_path / "latest.npz", record=np.array(record), **arrays)
    variables = [keras.Variable([0.0]) for _ in range(12)]
    read, _ = load_checkpoint(tmp_path / "latest.npz", {"part": Part(variables)})
    assert read == Position(batch=2, step=2, loss_sum=12.0, loss_weight=8.0, rows=8) and read.loss == 1.5
    assert [variable.numpy()[0] for variable in variables] == list(range(12))


def test_best_score_and_patience_follow_from_the_position():
    position = Position(epoch=3, best=0.8, best_epoch=1, history=[{"validation_loss": 0.5}])
    assert position.improves(0.81, 0.9) and not position.improves(0.79, 0.1)
    assert position.improves(0.8, 0.4) and not position.improves(0.8, 0.5)
    assert position.out_of_patience(2) and not position.out_of_patience(3) and not position.out_of_patience(0)
    position = Position(rows=10, batch=4, epoch_seconds=2.0, loss_sum=3.0, loss_weight=10.0, train_seconds=1.0)
    position.end_epoch()
    assert position == Position(epoch=1, train_seconds=3.0, rows_trained=10)


def test_the_average_of_weights_follows_its_formula():
    weight = keras.Variable([1.0, 2.0])
    average, expected = WeightAverage([weight], momentum=0.5), np.array([1.0, 2.0])
    for step in range(30):
        weight.assign([float(step), -float(step)])
        average.update(tf.constant(step))
        momentum = min(0.5, (1 + step) / (10 + step))
        expected = momentum * expected + (1 - momentum) * np.array([step, -step])
    np.testing.assert_allclose(average.variables[0].numpy(), expected, rtol=1e-5)
    with pytest.raises(KeyError), average.applied():
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5)
        raise KeyError
    assert weight.numpy().tolist() == [29.0, -29.0]
