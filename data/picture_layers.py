"""Picture files in the graph: bytes to pictures, as a Keras layer."""

import keras
import tensorflow as tf

from data.picture_decoding import decode_picture


@keras.saving.register_keras_serializable(package="rnn_templates")
class PictureDecoder(keras.layers.Layer):
    """Decodes picture files and squashes them to squares, as `data.picture_decoding.decode_picture` does.

    Args:
        side: The squares' side in pixels.

    Call arguments:
        contents: The files' bytes, strings (batch,). A damaged one raises `tf.errors.InvalidArgumentError`.

    Returns:
        float32 (batch, side, side, 3), from 0 to 255.

    Example:
        PictureDecoder(128)(tf.stack([tf.io.read_file("dog.jpg")]))   # (1, 128, 128, 3)
    """

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, contents):
        # There are no such ops elsewhere.
        with tf.device("CPU:0"):
            pictures = tf.map_fn(
                lambda content: decode_picture(content, self.side),
                contents,
                fn_output_signature=tf.TensorSpec([self.side, self.side, 3], tf.uint8),
            )
            return tf.cast(pictures, tf.float32)

    def compute_output_shape(self, contents_shape):
        return (*contents_shape, self.side, self.side, 3)

    def compute_output_spec(self, contents):
        return keras.KerasTensor((*contents.shape, self.side, self.side, 3), "float32")

    def get_config(self):
        return {**super().get_config(), "side": self.side}
