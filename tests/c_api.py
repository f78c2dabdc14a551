"""Runs a SavedModel by TensorFlow's C API, as its bindings for C, Java, Go and Rust do: no Python of TensorFlow's.

    python c_api.py < requests.pickle > answers.pickle

A request is a dictionary: `folder` and `written`, which identify a SavedModel; `inputs`, from a tensor's name to its shape,
its values and the number of their type; `outputs`, tensors' names. The answer is a dictionary from these to their
shapes and values (bytes, floats or whole numbers), and comes before the next request is read.
"""

import ctypes
import importlib.util
import pickle
import sys
from math import prod
from pathlib import Path

STRING, TSTRING_SIZE = 7, 24
VALUES = {1: ctypes.c_float, 3: ctypes.c_int32, 9: ctypes.c_int64}


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


def load_library():
    (folder,) = importlib.util.find_spec("tensorflow").submodule_search_locations
    ctypes.CDLL(str(next(Path(folder).glob("libtensorflow_framework.so.*"))), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(next(Path(folder).glob("libtensorflow_cc.so.*"))))
    for name in (
        "TF_NewStatus TF_NewGraph TF_NewSessionOptions TF_LoadSessionFromSavedModel TF_GraphOperationByName "
        "TF_AllocateTensor TF_TensorData TF_StringGetDataPointer"
    ).split():
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("TF_Message", "TF_Version"):
        getattr(library, name).restype = ctypes.c_char_p
    for name in ("TF_Dim", "TF_StringGetSize"):
        getattr(library, name).restype = ctypes.c_int64
    return library


class Session:
    """A SavedModel in a session of its own."""

    def __init__(self, library, folder):
        self.library = library
        self.status = pointer(self.library.TF_NewStatus())
        self.graph = pointer(self.library.TF_NewGraph())
        tags = (ctypes.c_char_p * 1)(b"serve")
        options = pointer(self.library.TF_NewSessionOptions())
        self.session = pointer(
            self.library.TF_LoadSessionFromSavedModel(
                options, None, folder.encode(), tags, 1, self.graph, None, self.status
            )
        )
        self.check()

    def close(self):
        self.library.TF_CloseSession(self.session, self.status)
        self.library.TF_DeleteSession(self.session, self.status)
        self.library.TF_DeleteGraph(self.graph)

    def check(self):
        if self.library.TF_GetCode(self.status):
            sys.exit(self.library.TF_Message(self.status).decode())

    def run(self, inputs, outputs):
        feeds = (Output * len(inputs))(*(self.output(name) for name in inputs))
        tensors = [self.tensor(*value) for value in inputs.values()]
        values = (ctypes.c_void_p * len(inputs))(*(tensor.value for tensor in tensors))
        fetches = (Output * len(outputs))(*(self.output(name) for name in outputs))
        fetched = (ctypes.c_void_p * len(outputs))()
        self.library.TF_SessionRun(
            self.session, None, feeds, values, len(inputs), fetches, fetched, len(outputs), None, 0, None, self.status
        )
        self.check()
        answer = {name: self.read(pointer(tensor)) for name, tensor in zip(outputs, fetched, strict=True)}
        for tensor in [*tensors, *map(pointer, fetched)]:
            self.library.TF_DeleteTensor(tensor)
        return answer

    def output(self, name):
        operation, index = name.split(":")
        return Output(self.library.TF_GraphOperationByName(self.graph, operation.encode()), int(index))

    def tensor(self, shape, values, kind):
        if kind == STRING:
            return self.string_tensor(shape, values)
        dimensions, numbers = (ctypes.c_int64 * len(shape))(*shape), (VALUES[kind] * len(values))(*values)
        size = ctypes.sizeof(numbers)
        tensor = pointer(self.library.TF_AllocateTensor(kind, dimensions, len(shape), ctypes.c_size_t(size)))
        ctypes.memmove(pointer(self.library.TF_TensorData(tensor)), numbers, size)
        return tensor

    def string_tensor(self, shape, strings):
        dimensions = (ctypes.c_int64 * len(shape))(*shape)
        size = TSTRING_SIZE * len(strings)
        tensor = pointer(self.library.TF_AllocateTensor(STRING, dimensions, len(shape), ctypes.c_size_t(size)))
        data = self.library.TF_TensorData(tensor) or 0
        for number, string in enumerate(strings):
            place = pointer(data + TSTRING_SIZE * number)
            self.library.TF_StringInit(place)
            self.library.TF_StringCopy(place, string, ctypes.c_size_t(len(string)))
        return tensor

    def read(self, tensor):
        shape = [self.library.TF_Dim(tensor, axis) for axis in range(self.library.TF_NumDims(tensor))]
        data, kind = self.library.TF_TensorData(tensor), self.library.TF_TensorType(tensor)
        if kind != STRING:
            return shape, list((VALUES[kind] * prod(shape)).from_address(data)) if prod(shape) else []
        places = [pointer(data + TSTRING_SIZE * number) for number in range(prod(shape))]
        return shape, [
            ctypes.string_at(self.library.TF_StringGetDataPointer(place), self.library.TF_StringGetSize(place))
            for place in places
        ]


def pointer(address):
    return ctypes.c_void_p(address)


if __name__ == "__main__":
    library, opened, session = load_library(), None, None
    while sys.stdin.buffer.peek(1):
        request = pickle.load(sys.stdin.buffer)
        if opened != (request["folder"], request["written"]):
            if session:
                session.close()
            opened = request["folder"], request["written"]
            session = Session(library, request["folder"])
        answer = session.run(request["inputs"], request["outputs"])
        assert "tensorflow" not in sys.modules
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
