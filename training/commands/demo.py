"""The verb `demo`: a page of one's own machine on which one types a text, or drops a file, and sees the answer."""

import dataclasses
import re
import tempfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import click

from data.errors import UserError
from training.commands.command_line import debug_option, one_line
from training.commands.run_argument import RUN_HELP, field_options, open_trained_run, run_argument
from training.commands.template import Template
from training.stop_requests import termination_interrupts

HOST = "127.0.0.1"
# No text, picture or table is larger.
MOST_BYTES = 32 * 1024**2


def command(templates: dict[str, Template]) -> click.Command:
    """The verb, for the runs of some templates: a template's name -> the template."""
    return click.Command(
        "demo",
        params=[
            run_argument(),
            click.Option(["--port"], type=click.IntRange(0, 65535), default=8000, show_default=True,
                         help="Where to listen on 127.0.0.1; 0 takes a free one."),
            debug_option(),
            *field_options(templates, "ANSWERING"),
        ],
        callback=lambda **values: _demo(templates, **values),
        help=f"Answer on a page at http://127.0.0.1, with what led to the answer; Ctrl-C ends.\n\n{RUN_HELP}",
    )  # fmt: skip


def _demo(templates: dict[str, Template], run: str, port: int, **flags) -> None:
    template, folder, config = open_trained_run(templates, run, flags)
    if not template.shows_inside:
        raise UserError(f"{template.name}: this template does not show what is inside its network")
    try:
        # Browsers open connections ahead, on which nothing may come for long.
        server = ThreadingHTTPServer((HOST, port), BaseHTTPRequestHandler)
    except OSError as error:
        raise UserError(f"port {port}: {one_line(error)}; --port 0 takes a free one") from None
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    with tempfile.TemporaryDirectory() as place:
        exported = Path(place) / "exported"
        template.serving.export(folder, config, exported)
        answering = Exported(exported)
    inside = template.inside.Inside(folder, config)
    server.RequestHandlerClass = _handler(template, folder, answering, inside, server.server_port)
    click.echo(f"http://{HOST}:{server.server_port} answers; Ctrl-C ends")
    with server, termination_interrupts():
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")


class Exported:
    """An exported model, as any program that has TensorFlow would load it.

    Args:
        folder: What `export` wrote; it is not needed any more afterwards.
    """

    def __init__(self, folder: Path):
        import tensorflow as tf

        # The signatures live as long as what they were loaded with.
        self.model = tf.saved_model.load(str(folder))
        self.answer = self.model.signatures["serving_default"]
        self.inputs = self.answer.structured_input_signature[1]

    def outputs(self, content: bytes, asked: Mapping) -> list[tuple[str, str]]:
        """The name of each output, and what it is for one input.

        Args:
            content: The input as it was typed, or what stands in its file.
            asked: The same by the names of the model's inputs, where these are numbers; empty where there are none.
        """
        import tensorflow as tf

        if [spec.dtype for spec in self.inputs.values()] == [tf.string]:
            given = {name: tf.constant([content]) for name in self.inputs}
        elif asked:
            given = {name: tf.constant(asked[name], spec.dtype) for name, spec in self.inputs.items()}
        else:
            return []
        # What is the same for all inputs, such as the quantiles' levels, has no row of this one.
        found = {name: tensor.numpy().tolist() for name, tensor in sorted(self.answer(**given).items())}
        return [(name, _as_text(values[0] if len(values) == 1 else values)) for name, values in found.items()]


def _as_text(value) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _handler(template: Template, folder, answering, inside, port: int) -> type[BaseHTTPRequestHandler]:
    from training.pages.demo import answer_page, start_page

    are_files = template.config.INPUTS_ARE_FILES
    # A page of elsewhere whose name was made to lead here must not read the answers.
    names, one_at_a_time = {f"{HOST}:{port}", f"localhost:{port}"}, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/":
                self._send(404, "text/plain", "there is one page, /")
            elif self._is_meant():
                self._send(200, "text/html", start_page(template.name, folder.path.name, are_files))

        def do_POST(self):
            if not self._is_meant():
                return
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 < length <= MOST_BYTES:
                self._send(413, "text/plain", f"an input has 1 to {MOST_BYTES:,} bytes")
                return
            content = self.rfile.read(length)
            with one_at_a_time:
                look = self._look(content)
                found = answer_page(look, answering.outputs(content, look.asked))
            self._send(200, "text/html", found)

        def _look(self, content: bytes):
            if not are_files:
                return inside.look(content.decode("utf-8", "replace"))
            # What its name ends in may tell how to read it, and an error names it.
            name = re.sub(r"[^\w.-]", "_", unquote(self.headers.get("X-File-Name") or "")).lstrip(".")[-60:]
            with tempfile.TemporaryDirectory() as place:
                file = Path(place) / (name or "file")
                file.write_bytes(content)
                look = inside.look(str(file))
            return dataclasses.replace(look, error=look.error.replace(f"{place}/", ""))

        def _is_meant(self) -> bool:
            if self.headers.get("Host") in names:
                return True
            self._send(403, "text/plain", "this page answers on this machine only")
            return False

        def _send(self, status: int, kind: str, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format, *args):
            pass

    return Handler
