"""Recurrent layers for Keras: SimpleRNN, GRU, LSTM and Bidirectional, with Keras's arguments and weight layout.

Usable alone, with nothing but TensorFlow and Keras: `from rnn_layers.lstm import LSTM`.
"""

__version__ = "0.2.0"
