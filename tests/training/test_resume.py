"""training.checkpoint: whatever a run depends on comes back, and what does not fit is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from training.averaging import WeightAverage
from training.checkpoint import Progress, load_checkpoint, load_weights, save_checkpoint, save_weights


def small_model(units: int = 3):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)])
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def parts_of(model, optimizer) -> dict:
    return {"model": model, "optimizer": optimizer}


def train(model, optimizer, steps: int) -> None:
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(tf.ones((4, 2)), training=True) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)


def test_a_run_goes_on_from_a_checkpoint_in_the_same_bits_dropout_included(tmp_path):
    whole, whole_optimizer = small_model()
    parted, parted_optimizer = small_model()
    save_weights(tmp_path / "start.npz", whole)
    load_weights(tmp_path / "start.npz", parted)
    train(whole, whole_optimizer, 5)
    train(parted, parted_optimizer, 2)
    progress = Progress(epoch=1, batch=2, step=9, loss_sum=0.1 + 0.2, best=0.7, best_epoch=1, history=[{"loss": 1 / 3}])
    save_checkpoint(tmp_path / "latest.npz", parts_of(parted, parted_optimizer), progress, {"device": "CPU"})

    resumed, resumed_optimizer = small_model()
    again, environment = load_checkpoint(tmp_path / "latest.npz", parts_of(resumed, resumed_optimizer))
    train(resumed, resumed_optimizer, 3)
    assert (again, environment) == (progress, {"device": "CPU"})
    assert len(resumed.variables) == 3  # kernel, bias, the seed generator of dropout
    for ours, theirs in zip(
        resumed.variables + resumed_optimizer.variables, whole.variables + whole_optimizer.variables
    ):
        assert np.array_equal(ours.numpy(), theirs.numpy()), ours.path


def test_no_checkpoint_is_a_fresh_start(tmp_path):
    assert load_checkpoint(tmp_path / "none.npz", parts_of(*small_model())) == (Progress(), {})


def test_a_checkpoint_of_another_model_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "latest.npz"
    save_checkpoint(path, parts_of(*small_model(units=4)), Progress(), {})
    with pytest.raises(UserError, match="does not fit .*--restart"):
        load_checkpoint(path, parts_of(*small_model(units=3)))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged.*--restart"):
        load_checkpoint(path, parts_of(*small_model(units=4)))


def test_best_score_and_patience_follow_from_the_progress():
    progress = Progress(epoch=3, best=0.8, best_epoch=1)
    assert progress.improves(0.81) and not progress.improves(0.8)
    assert progress.out_of_patience(2) and not progress.out_of_patience(3) and not progress.out_of_patience(0)
    progress = Progress(rows=10, batch=4, epoch_seconds=2.0, loss_sum=3.0, train_seconds=1.0)
    progress.end_epoch()
    assert progress == Progress(epoch=1, train_seconds=3.0, rows_trained=10)


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
