"""Picture files in the graph: bytes to pictures, as a Keras layer."""

import keras
import tensorflow as tf

from data.captioned_pictures.decoding import decode_picture, number_of_kind, why_not_decoded
from data.captioned_pictures.kinds import READ_KINDS


@keras.saving.register_keras_serializable(package="rnn_templates")
class PictureDecoder(keras.layers.Layer):
    """Decodes picture files and squashes them to squares, as `data.captioned_pictures.decoding.decode_picture` does.

    Args:
        side: The squares' side in pixels.

    Call arguments:
        contents: The files' bytes, strings (batch,).

    Returns:
        A dictionary: `pictures` float32 (batch, side, side, 3), from 0 to 255; and `error` (batch,) string, "" where
        all is well. A file that cannot be decoded has an error and zeros for colours, and leaves the others as they
        are.

    Example:
        PictureDecoder(128)(tf.stack([tf.io.read_file("dog.jpg")]))["pictures"]   # (1, 128, 128, 3)
    """

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, contents):
        # There are no such ops elsewhere.
        with tf.device("CPU:0"):
            kinds = tf.map_fn(number_of_kind, contents, fn_output_signature=tf.int32)
            parts = [self._decode(contents, kinds == number, kind) for number, kind in enumerate(READ_KINDS)]
            numbers, pictures = (tf.concat(part, axis=0) for part in zip(*parts, strict=True))
            count, numbers = tf.size(contents), numbers[:, tf.newaxis]
            is_read = tf.scatter_nd(numbers, tf.ones_like(numbers[:, 0]), [count]) > 0
            pictures = tf.scatter_nd(numbers, tf.cast(pictures, tf.float32), [count, self.side, self.side, 3])

            def reasons():
                def reason(row):
                    return tf.cond(row[0], lambda: "", lambda: why_not_decoded(row[1]))

                return tf.map_fn(reason, (is_read, contents), fn_output_signature=tf.string)

            errors = tf.cond(tf.reduce_all(is_read), lambda: tf.fill([count], ""), reasons)
            return {"pictures": pictures, "error": errors}

    def _decode(self, contents: tf.Tensor, is_kind: tf.Tensor, kind: str) -> tuple[tf.Tensor, tf.Tensor]:
        """The rows that are of a kind and can be decoded, int32 (rows,); and their squares, uint8 (rows, ...)."""
        picture = (self.side, self.side, 3)

        def decode():
            rows = tf.where(is_kind)[:, 0]
            # What an op raises ends a graph, unless a data set leaves the element out.
            numbered = tf.data.Dataset.from_tensor_slices((tf.cast(rows, tf.int32), tf.gather(contents, rows)))
            decoded = numbered.map(
                lambda number, content: (number, decode_picture(content, kind, self.side)),
                num_parallel_calls=tf.data.AUTOTUNE,
            ).ignore_errors()
            # One row more, for a batch has one at least.
            last = tf.data.Dataset.from_tensors((-1, tf.zeros(picture, tf.uint8)))
            numbers, pictures = decoded.concatenate(last).batch(tf.size(rows, tf.int64) + 1).get_single_element()
            return numbers[:-1], pictures[:-1]

        def nothing():
            return tf.zeros([0], tf.int32), tf.zeros([0, *picture], tf.uint8)

        # A data set takes time to make, an empty one too.
        return tf.cond(tf.reduce_any(is_kind), decode, nothing)

    def compute_output_spec(self, contents):
        return {
            "pictures": keras.KerasTensor((*contents.shape, self.side, self.side, 3), "float32"),
            "error": keras.KerasTensor(contents.shape, "string"),
        }

    def get_config(self):
        return {**super().get_config(), "side": self.side}
