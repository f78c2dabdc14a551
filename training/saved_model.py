"""Writing a model as a SavedModel: what `export` leaves behind, for TensorFlow's loaders in every language."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import tensorflow as tf

from data.writing import replacing_folder
from training.tensorflow_errors import naming

# Where TensorFlow Serving looks for requests to run before it takes those of others.
WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_saved_model(
    folder: Path,
    model: keras.Model,
    signatures: Callable[[keras.Model], dict],
    examples: Mapping[str, Mapping[str, list]],
) -> None:
    """Writes a SavedModel that needs TensorFlow alone, and holds nothing that only training needs.

    Args:
        folder: Where to; it appears whole or not at all.
        model: The model.
        signatures: Gives the model's `tf.function`s by the names of their signatures.
        examples: By the names of some signatures, inputs for a server to warm up with: the first call of a function
            takes a second, which no user should wait for.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    traced = {name: function.get_concrete_function() for name, function in signatures(model).items()}
    module = tf.Module()
    # Not the model: a Keras variable restores a copy of its value, and the functions, which read the value itself, then
    # find nothing in any loader but Python's.
    module.values = list({id(value): value for function in traced.values() for value in function.variables}.values())
    module.tables = _tables(model)
    # Loading custom gradients would register them anew each time, and keep every graph that was ever loaded.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with replacing_folder(folder) as temporary, naming(folder):
        tf.saved_model.save(module, str(temporary), signatures=traced, options=options)
        _write_warm_up(temporary / WARM_UP_FILE, examples)


def in_float32(model: keras.Model) -> keras.Model:
    """Has a model compute in float32, whatever it was trained in.

    In bfloat16 the last of its 8 bits depends on how many rows are answered at once: a caption's score moved by 7e-4
    with its neighbours. Answering takes no longer in float32.

    Args:
        model: The model; its weights are float32 already.

    Returns:
        The same model.

    Example:
        in_float32(keras.models.load_model("runs/mine/model.keras"))
    """
    for layer in model._flatten_layers():
        layer.dtype_policy = "float32"
    return model


def _tables(model: keras.Model) -> list[tf.lookup.StaticHashTable]:
    """The look-up tables of all layers, however deep."""
    members = [member for layer in model._flatten_layers() for member in vars(layer).values()]
    return [member for member in members if isinstance(member, tf.lookup.StaticHashTable)]


def _write_warm_up(path: Path, examples: Mapping[str, Mapping[str, list]]) -> None:
    """Writes one `PredictionLog` for each signature.

    Source: tensorflow_serving/apis, prediction_log.proto, predict.proto and model.proto, whose field numbers these are;
    TensorFlow does not come with their classes.
    """
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, inputs in examples.items():
            model_spec = _field(3, name.encode())
            tensors = [
                _field(1, key.encode()) + _field(2, tf.make_tensor_proto(value).SerializeToString())
                for key, value in inputs.items()
            ]
            request = _field(1, model_spec) + b"".join(_field(2, entry) for entry in tensors)
            writer.write(_field(6, _field(1, request)))


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds a string or another message: tag, length, content."""
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content
