"""Keras's published sentiment example, with plain Keras: two bidirectional LSTM layers over the last 200 words.

Its settings are the example's: the 20,000 most frequent words, vectors of 128, two layers of 64 units each way, Adam,
batches of 32, two epochs, accuracy on the 25,000 test reviews. The text is read with Keras's own TextVectorization.
"""

import json
import sys
import time

from templates.sentiment.config import Config
from templates.sentiment.pipeline import find_source, open_source
from training.commands.tensorflow_import import import_tensorflow


def main(data: str, seed: int) -> None:
    started = time.monotonic()
    import_tensorflow()
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    source = find_source(Config(data=data))
    splits = open_source(Config(data=data), source).read(["train", "validation", "test"])
    # All 25,000 training reviews: those that our runs hold out for validation are trained on here.
    texts = {"train": splits["train"].texts + splits["validation"].texts, "test": splits["test"].texts}
    labels = {"train": splits["train"].labels + splits["validation"].labels, "test": splits["test"].labels}
    vectorize = keras.layers.TextVectorization(max_tokens=20_000, ragged=True)
    vectorize.adapt(tf.data.Dataset.from_tensor_slices(texts["train"]).batch(512))

    def last_words(rows):
        ids = [vectorize(tf.constant(rows[start : start + 512]))[:, -200:] for start in range(0, len(rows), 512)]
        return keras.utils.pad_sequences([row for chunk in ids for row in chunk.numpy()], maxlen=200)

    names = sorted(set(labels["train"]))
    inputs = {split: last_words(rows) for split, rows in texts.items()}
    targets = {split: np.array([names.index(label) for label in rows]) for split, rows in labels.items()}

    ids = keras.Input((None,), dtype="int32")
    states = keras.layers.Embedding(20_000, 128)(ids)
    states = keras.layers.Bidirectional(keras.layers.LSTM(64, return_sequences=True))(states)
    states = keras.layers.Bidirectional(keras.layers.LSTM(64))(states)
    model = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(states))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    order = np.random.default_rng(seed).permutation(len(targets["train"]))
    rows, row_targets = inputs["train"][order], targets["train"][order]
    fit_started = time.monotonic()
    model.fit(rows, row_targets, batch_size=32, epochs=2, verbose=2)
    train_seconds = time.monotonic() - fit_started
    print("epochs done", flush=True)
    accuracy = model.evaluate(inputs["test"], targets["test"], batch_size=256, verbose=0)[1]
    figures = {
        "seed": seed,
        "parameters": model.count_params(),
        "train_seconds": round(train_seconds, 3),
        "prepare_seconds": round(fit_started - started, 3),
        "test": {"accuracy": float(accuracy)},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
