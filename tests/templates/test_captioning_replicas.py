"""captioning's training step on two replicas, and compiled by XLA: the steps of one device that is not."""

import json

import numpy as np
import pytest

from tests.command import run_python

SCRIPT = """
from training.commands.tensorflow_import import import_tensorflow
import_tensorflow()
import json
import numpy as np, keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from data.captioned_pictures.augmentation import draw_changes
from templates.captioning.config import Config
from templates.captioning.model import build_model
from templates.captioning.train import make_train_step
from training.averaging import WeightAverage
from training.device import choose_device
random = np.random.default_rng(0)
# Odd rows are the second replica's: the pictures of the first, so that each normalizes as both do together, but fewer
# pieces and words, and one picture without any.
pictures = random.integers(256, size=(2, 32, 32, 3)).astype(np.uint8).repeat(2, axis=0)
changes = draw_changes(
    2, 32, random, shift=0.1, zoom=0.1, flip=np.ones(2, bool), brightness=0.1, contrast=0.1, saturation=0.1
)
transforms, colours = (change.repeat(2, axis=0) for change in (changes.transforms, changes.colours))
after = random.integers(3, 270, size=(4, 1, 5)).astype(np.int32)
after[1, 0, 2:] = after[3] = 0
before = np.pad(after[:, :, :-1], [(0, 0), (0, 0), (1, 0)], constant_values=1)
words = np.array([[5, 6, 7], [8, 0, 0], [9, 10, 0], [0, 0, 0]], np.int32)

def train(strategy, jit):
    config = Config(
        picture_size=32, grid_stride=8, channels=4, units=4, embedding_size=4, dropout=0, embedding_dropout=0, clip_norm=0.2, batch_size=4
    )
    device = choose_device(0, strategy=strategy, precision="float32", jit=jit)
    with device.strategy.scope():
        model = build_model(config, 270, pictures.shape[1:])
        optimizer = keras.optimizers.AdamW(0.05, weight_decay=config.weight_decay)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, 0.9)
    step = make_train_step(model, optimizer, average, device, config, pictures)
    inputs = [tf.constant(array) for array in (pictures, transforms, colours, before, after, words)]
    losses = [float(step(*inputs)[0]) for _ in range(3)]
    trained = model.trainable_variables + average.variables
    return device.replicas, losses, [variable.numpy().tolist() for variable in trained]

print(json.dumps([train(*arguments) for arguments in ARGUMENTS]))
"""


def train(*arguments):
    return json.loads(run_python(SCRIPT.replace("ARGUMENTS", repr(arguments))).splitlines()[-1])


@pytest.fixture(scope="module")
def runs():
    # One strategy per process.
    return [*train(("one", "off"), ("one", "on")), *train(("mirrored", "off"))]


def assert_alike(run, other):
    np.testing.assert_allclose(run[1], other[1], rtol=1e-5)
    for ours, theirs in zip(run[2], other[2], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_two_replicas_take_the_steps_of_one_device(runs):
    one, _, two = runs
    assert (one[0], two[0]) == (1, 2) and one[1][2] < one[1][1] < one[1][0]
    assert_alike(one, two)


def test_the_compiled_step_is_the_same(runs):
    assert_alike(*runs[:2])
