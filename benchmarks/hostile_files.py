"""What files that were made to do harm cost: seconds, peak memory, and what is said, by the real commands.

python -m benchmarks.hostile_files                 every case; some minutes, 6 GB of disk
python -m benchmarks.hostile_files --only csv      those whose name holds a word
"""

import gzip
import json
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import click
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.runs import ROOT
from data.writing import write_json

RESULTS = ROOT / "benchmarks" / "results" / "hostile_files.json"
GIB = 2**30
# A process that takes more is ended.
MOST_MEMORY, MOST_SECONDS = 6 * GIB, 300
SMALL = {
    "sentiment": ["--units", "8"],
    "ner": ["--units", "8"],
    "translation": ["--units", "8"],
    "captioning": ["--units", "8"],
}
VERBS = ("run", "evaluate", "predict")


class Case(NamedTuple):
    """A hostile file.

    Args:
        name: What it is.
        template: Whose data it claims to be.
        make: Writes it into a folder and returns what `--data` and `--file` are given.
        verbs: By which commands it is read.
        flags: Further flags.
    """

    name: str
    template: str
    make: Callable[[Path], Path]
    verbs: tuple[str, ...] = VERBS
    flags: tuple[str, ...] = ()


def text(name: str, content: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def pieces(name: str, *parts: tuple[bytes, int]) -> Callable[[Path], Path]:
    """A file of byte strings, each so many times; packed as its name says."""

    def make(folder: Path) -> Path:
        path = folder / name
        with _opened(path) as stream:
            for part, times in parts:
                block = part * max(1, min(times, 2**22 // max(1, len(part))))
                each = len(block) // max(1, len(part))
                for _ in range(times // each):
                    stream.write(block)
                stream.write(part * (times % each))
        return path

    return make


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "wb", 1)
    return lzma.open(path, "wb", preset=0) if path.suffix == ".xz" else open(path, "wb")


def sparse(name: str, beginning: bytes, size: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(beginning)
        os.truncate(path, size)
        return path

    return make


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def device(folder: Path) -> Path:
    (folder / "zero.csv").symlink_to("/dev/zero")
    return folder / "zero.csv"


def linked_folder(folder: Path) -> Path:
    (folder / "data").mkdir()
    (folder / "data" / "again").symlink_to(folder / "data")
    (folder / "data" / "loop.csv").symlink_to("loop.csv")
    (folder / "data" / "train.csv").symlink_to("gone.csv")
    return folder / "data"


def crowded(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "data").mkdir()
        for number in range(1_000_000):
            os.close(os.open(folder / "data" / f"{number}{suffix}", os.O_CREAT))
        return folder / "data"

    return make


def parquet(change: Callable[[bytes], bytes] = lambda content: content, rows: int = 8) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "lies.parquet"
        table = pa.table({"text": ["a good film", "a bad film"] * rows, "label": ["pos", "neg"] * rows})
        pq.write_table(table, path)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def million_columns_parquet(folder: Path) -> Path:
    path = folder / "wide.parquet"
    names = [f"c{number}" for number in range(200_000)]
    pq.write_table(pa.table({"text": ["a b"], **{name: [1] for name in names}}), path)
    return path


def repeated_parquet(folder: Path) -> Path:
    """2 GiB in one value's dictionary, a few KB in the file."""
    path = folder / "bomb.parquet"
    big = pa.array(["a" * 2**26] * 40).dictionary_encode()
    table = pa.table({"text": big, "label": pa.array(["a", "b"] * 20)})
    pq.write_table(table, path, compression="zstd", row_group_size=40)
    return path


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A grey picture of which there are so many rows."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer = zlib.compressobj(9)
    rows = height if rows is None else rows
    data = b"".join(packer.compress(bytes(width // 8 + 1)) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb_png() -> bytes:
    """A small picture with a text that is packed: 256 MiB of zeros."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(2**20)) for _ in range(256)) + packer.flush()
    content = b"bomb\0\0" + data
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content + struct.pack(">I", zlib.crc32(b"zTXt" + content))
    plain = png(8, 8)
    return plain[:33] + chunk + plain[33:]


def gif(width: int, height: int, frames: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return screen + frame * frames + b";"


def bmp(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0)
    )


def jpeg(width: int, height: int) -> bytes:
    import io

    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "JPEG")
    content = bytearray(stream.getvalue())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def webp(width: int, height: int) -> bytes:
    import io

    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "WEBP", lossless=True)
    content = bytearray(stream.getvalue())
    content[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(content)


def pictures(**contents: bytes | Callable[[], bytes]) -> Callable[[Path], Path]:
    """A folder of one good picture and bad ones, each with a caption."""

    def make(folder: Path) -> Path:
        place = folder / "data"
        place.mkdir()
        Image.new("RGB", (32, 32), "red").save(place / "good.png")
        lines = ["good.png\tA red square .\n"] * 4
        for number in range(4):
            Image.new("RGB", (32, 32), (number, 90, 90)).save(place / f"good{number}.png")
            lines.append(f"good{number}.png\tA square of colour .\n")
        for name, content in contents.items():
            name = name.replace("_", ".")
            (place / name).write_bytes(content() if callable(content) else content)
            lines.append(f"{name}\tA bad picture .\n")
        (place / "captions.txt").write_text("".join(lines))
        return place

    return make


def declaring(side: int) -> Callable[[Path], Path]:
    """Small files of every format that declare a square of so many pixels a side, a WebP at most 16,000."""
    return pictures(
        a_png=png(side, side, 4),
        b_gif=gif(side, side, 1),
        c_bmp=bmp(side, side),
        d_jpg=jpeg(side, side),
        e_webp=webp(min(side, 16000), min(side, 16000)),
    )


def tar(folder: Path) -> Path:
    """An archive whose members lead out of it, or nowhere."""
    place = folder / "data"
    place.mkdir()
    Image.new("RGB", (32, 32), "red").save(folder / "good.png")
    good = (folder / "good.png").read_bytes()
    (folder / "outside.png").write_bytes(good)
    lines = []
    with tarfile.open(place / "pictures.tar", "w") as archive:
        import io

        def add(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            member.size = len(good) if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(good) if member.size else None)
            lines.append(f"{name}\tA picture .\n")

        for number in range(8):
            add(f"good{number}.png")
        add("../outside.png")
        add(str(folder / "outside.png"))
        add("soft.png", tarfile.SYMTYPE, "../outside.png")
        add("hard.png", tarfile.LNKTYPE, "../outside.png")
        add("zero.png", tarfile.CHRTYPE)
        add("good0.png")
    (place / "captions.txt").write_text("".join(lines))
    return place


def tar_bomb(folder: Path) -> Path:
    place = folder / "data"
    place.mkdir()
    member = tarfile.TarInfo("a.png")
    member.size = 8 * GIB
    with gzip.open(place / "pictures.tar.gz", "wb", 1) as stream:
        stream.write(member.tobuf())
        for _ in range(8 * GIB // 2**22):
            stream.write(bytes(2**22))
    (place / "captions.txt").write_text("a.png\tA bomb .\n")
    return place


def lying_tar(folder: Path) -> Path:
    """A member that says it has 8 EiB."""
    place = folder / "data"
    place.mkdir()
    member = tarfile.TarInfo("a.png")
    member.size = 2**62
    (place / "pictures.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    (place / "captions.txt").write_text("a.png\tA lie .\n")
    return place


def captions_json(name: str, *parts: tuple[bytes, int]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        place = pictures()(folder)
        (place / "captions.txt").unlink()
        pieces(name, *parts)(place)
        return place

    return make


def parallel(*parts: tuple[bytes, int]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        pieces("corpus.de.gz", *parts)(folder)
        pieces("corpus.en.gz", *parts)(folder)
        return folder / "corpus.de.gz"

    return make


ROWS = b"text,label\na good film,pos\na bad film,neg\n"
OBJECT = b'{"text": "a good film", "label": "pos"}\n{"text": "a bad film", "label": "neg"}\n'
CASES = [
    Case("csv: a line of 2 GB of NUL", "sentiment", sparse("a.csv", ROWS, 2 * GIB)),
    Case("csv.gz: a line of 2 GB of blanks", "sentiment", pieces("a.csv.gz", (ROWS, 1), (b" ", 2 * GIB))),
    Case("csv.xz: a line of 2 GB of blanks", "sentiment", pieces("a.csv.xz", (ROWS, 1), (b" ", 2 * GIB))),
    Case(
        "csv.gz: a million lines of 16 KB",
        "sentiment",
        pieces("a.csv.gz", (ROWS, 1), (b"a" * 2**14 + b",pos\n", 2**17)),
        ("predict",),
    ),
    Case(
        "csv.gz: 100 lines of 40 MB",
        "sentiment",
        pieces("a.csv.gz", (ROWS, 1), *[(b"a ", 20 * 2**20), (b",pos\n", 1)] * 100),
    ),
    Case(
        "csv.gz: a quoted field of 1 GB in lines",
        "sentiment",
        pieces("a.csv.gz", (ROWS, 1), (b'"', 1), (b"a" * 1023 + b"\n", 2**20), (b'",pos\n', 1)),
    ),
    Case(
        "csv.gz: a quoted field of 1 GB in 900 lines",
        "sentiment",
        pieces("a.csv.gz", (ROWS, 1), (b'"', 1), (b"a" * 2**20 + b"\n", 900), (b'",pos\n', 1)),
    ),
    Case(
        "csv: a quote that never closes, 300 MB",
        "sentiment",
        pieces("a.csv", (ROWS, 400), (b'"', 1), (b"another film,pos\n", 18 * 2**20)),
    ),
    Case(
        "csv: a quote opens on every line, 20 MB",
        "sentiment",
        pieces("a.csv", (ROWS, 1), (b'"another film,pos\n', 10**6)),
        flags=("--skip-bad-lines",),
    ),
    Case(
        "csv: a million columns",
        "sentiment",
        pieces(
            "a.csv", (b"text,label", 1), (b",c", 10**6), (b"\n", 1), *[(b"a,b", 1), (b",1", 10**6), (b"\n", 1)] * 20
        ),
    ),
    Case("csv.gz: rows of a million separators", "sentiment", pieces("a.csv.gz", *[(b",", 2**20), (b"\n", 1)] * 600)),
    Case("csv: NUL bytes", "sentiment", text("a.csv", ROWS + b"a\0film,pos\nan\0other,neg\0\n" * 10)),
    Case("csv: /dev/zero", "sentiment", device),
    Case("csv: a pipe that nobody writes to", "sentiment", fifo, ("run", "evaluate")),
    Case("folder: links in circles", "sentiment", linked_folder, ("run", "evaluate")),
    Case("folder: a million files", "sentiment", crowded(".csv"), ("run", "evaluate")),
    Case("jsonl: 100,000 deep", "sentiment", pieces("a.jsonl", (OBJECT, 4), (b"[", 10**5), (b"]", 10**5), (b"\n", 1))),
    Case(
        "jsonl: 100,000 deep within an object",
        "sentiment",
        pieces("a.jsonl", (OBJECT, 4), (b'{"text": ', 1), (b"[", 10**5), (b"]", 10**5), (b"}\n", 1)),
    ),
    Case(
        "jsonl: 900 deep and half a character",
        "sentiment",
        pieces("a.jsonl", (OBJECT, 4), (b'{"text": ', 1), (b"[", 900), (b'"\\ud83d"', 1), (b"]", 900), (b"}\n", 1)),
    ),
    Case(
        "jsonl: objects 100,000 deep",
        "sentiment",
        pieces("a.jsonl", (OBJECT, 4), (b'{"a":', 10**5), (b"1", 1), (b"}", 10**5), (b"\n", 1)),
    ),
    Case(
        "jsonl: an integer of a million digits",
        "sentiment",
        pieces("a.jsonl", (OBJECT, 4), (b'{"text": "a", "label": ', 1), (b"9", 10**6), (b"}\n", 1)),
    ),
    Case(
        "jsonl: 1e999, -1e999, NaN",
        "sentiment",
        text("a.jsonl", OBJECT * 4 + b'{"text": 1e999, "label": -1e999}\n{"text": "a", "label": NaN}\n'),
    ),
    Case(
        "jsonl: half characters, doubled keys",
        "sentiment",
        text("a.jsonl", OBJECT * 4 + b'{"text": "\\ud83d", "text": "a \\udc00", "label": "\\ud800"}\n'),
    ),
    Case(
        "jsonl.gz: an object of 2 GB",
        "sentiment",
        pieces("a.jsonl.gz", (OBJECT, 4), (b'{"text": "', 1), (b"a", 2 * GIB), (b'"}\n', 1)),
    ),
    Case("json: 100,000 deep", "sentiment", pieces("a.json", (b"[", 10**5), (b"]", 10**5))),
    Case("json.gz: an array of 2 GB", "sentiment", pieces("a.json.gz", (b"[", 1), (b"{},", GIB), (b"{}]", 1))),
    Case(
        "json.gz: 250 MB of small objects",
        "sentiment",
        pieces("a.json.gz", (b"[", 1), (b"{},", 80 * 10**6), (b"{}]", 1)),
    ),
    Case(
        "json: an integer of a million digits",
        "sentiment",
        pieces("a.json", (b'[{"text": "a", "label": ', 1), (b"9", 10**6), (b"}]", 1)),
    ),
    Case("parquet: no footer", "sentiment", parquet(lambda content: content[:-40])),
    Case(
        "parquet: a footer of 2 GB",
        "sentiment",
        parquet(lambda content: content[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"),
    ),
    Case("parquet: pages of zeros", "sentiment", parquet(lambda content: content[:4] + bytes(200) + content[204:])),
    Case("parquet: 200,000 columns", "sentiment", million_columns_parquet),
    Case("parquet: 2.5 GB in a page", "sentiment", repeated_parquet),
    Case("conll.gz: a line of 2 GB", "ner", pieces("a.conll.gz", (b"Ann B-PER\nsings O\n\n", 9), (b"a", 2 * GIB))),
    Case(
        "conll.gz: a sentence of 2 million tokens",
        "ner",
        pieces("a.conll.gz", (b"Ann B-PER\nsings O\n\n", 9), (b"a O\n", 2 * 10**6)),
    ),
    Case("conll: a million columns", "ner", pieces("a.conll", *[(b"a", 1), (b" b", 10**6), (b"\n", 1)] * 20)),
    Case("conllu: a million columns", "ner", pieces("a.conllu", *[(b"1", 1), (b"\tb", 10**6), (b"\n", 1)] * 20)),
    Case("conll: NUL bytes", "ner", text("a.conll", b"Ann\0 B-PER\nsings O\n\n" * 9)),
    Case(
        "jsonl of lists: 100,000 deep",
        "ner",
        pieces("a.jsonl", (b'{"tokens": ', 1), (b"[", 10**5), (b"]", 10**5), (b"}\n", 1)),
    ),
    Case("parallel: a line of 2 GB", "translation", parallel((b"ein Hund\n", 9), (b"a", 2 * GIB))),
    Case(
        "parallel: 100 million empty lines",
        "translation",
        parallel((b"ein Hund\n", 9), (b"\n", 10**8)),
        ("run", "evaluate"),
    ),
    Case("tsv.gz: a line of 2 GB", "translation", pieces("a.tsv.gz", (b"ein Hund\ta dog\n", 9), (b"a", 2 * GIB))),
    Case("tar: members that lead out", "captioning", tar, ("run",)),
    Case("tar.gz: a bomb of 8 GB", "captioning", tar_bomb, ("run",)),
    Case("tar: a member of 4 EiB", "captioning", lying_tar, ("run",)),
    Case("pictures: 60,000 x 60,000 declared", "captioning", declaring(60000)),
    Case("pictures: a PNG of 60,000 x 60,000", "captioning", pictures(a_png=lambda: png(60000, 60000))),
    Case("pictures: 8,192 x 8,192 declared", "captioning", declaring(8192)),
    Case("pictures: a PNG with 256 MB of packed text", "captioning", pictures(a_png=text_bomb_png)),
    Case("pictures: a GIF of 100,000 frames", "captioning", pictures(a_gif=gif(4000, 4000, 100_000))),
    Case("pictures: a folder of a million", "captioning", crowded(".png"), ("run",)),
    Case(
        "captions.json: 100,000 deep",
        "captioning",
        captions_json("captions.json", (b"[", 10**5), (b"]", 10**5)),
        ("run",),
    ),
    Case(
        "captions.json: an integer of a million digits",
        "captioning",
        captions_json("captions.json", (b'[{"file_name": "good.png", "caption": ', 1), (b"9", 10**6), (b"}]", 1)),
        ("run",),
    ),
    Case(
        "captions.json.gz: 2 GB",
        "captioning",
        captions_json(
            "captions.json.gz", (b'[{"file_name": "good.png", "caption": "', 1), (b"a", 2 * GIB), (b'"}]', 1)
        ),
        ("run",),
    ),
    Case(
        "captions.txt.gz: a line of 2 GB",
        "captioning",
        captions_json("captions.txt.gz", (b"good.png\tA square .\n", 9), (b"a", 2 * GIB)),
        ("run",),
    ),
]


def command_of(verb: str, case: Case, path: Path, folder: Path, runs: Path) -> list[str]:
    """What one types."""
    small = [*SMALL[case.template], "--epochs", "1"]
    words = {
        "run": ["run", case.template, "--data", path, "--run-dir", folder / "run", *small],
        "evaluate": ["evaluate", runs / case.template, "--data", path, "--split", "all"],
        "predict": ["predict", runs / case.template, "--file", path, "--output", folder / "answers.jsonl"],
    }
    given = list(path.glob("*.???*")) if verb == "predict" and path.is_dir() else []
    if given:
        words["predict"] = ["predict", runs / case.template, *sorted(given)]
    flags = case.flags if verb != "evaluate" else [flag for flag in case.flags if flag]
    return [sys.executable, str(ROOT / "cli.py"), *map(str, words[verb]), *flags]


def measured(command: list[str], folder: Path) -> dict:
    """Runs a command: seconds, peak MB of memory, its exit code and the last line that it said."""
    said, peak = folder / "said", 0
    start = time.perf_counter()
    with open(said, "wb") as stream:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT)
        while not (ended := os.waitpid(process.pid, os.WNOHANG))[0]:
            # Not what the system counts for a child, which begins at its parent's size.
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
            if time.perf_counter() - start > MOST_SECONDS or peak * 1024 > MOST_MEMORY:
                process.kill()
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    lines = [line for line in said.read_text(errors="replace").splitlines() if line.strip()]
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "peak_mb": peak // 1024,
        "code": process.returncode,
        "traceback": any(line.startswith("Traceback") for line in lines),
        "said": lines[-1].replace(f"{folder}/", "").replace(str(folder), "").replace(f"{ROOT}/", "")[:300]
        if lines
        else "",
    }


def trained_runs(runs: Path) -> None:
    """Trains a small run of each template on its sample, unless it is there."""
    for template, small in SMALL.items():
        if not (runs / template / "model.keras").exists():
            words = ["run", template, "--data", "sample", "--epochs", "1", *small, "--run-dir", str(runs / template)]
            subprocess.run([sys.executable, str(ROOT / "cli.py"), *words], check=True)


def measure(only: str, verbs: Sequence[str], runs: Path, scratch: Path) -> Iterator[dict]:
    """Makes each file, reads it by each command, and deletes it."""
    for case in CASES:
        if only not in f"{case.template} {case.name}":
            continue
        folder = Path(tempfile.mkdtemp(prefix="files-", dir=scratch))
        try:
            path = case.make(folder)
            for verb in [verb for verb in case.verbs if verb in verbs]:
                found = measured(command_of(verb, case, path, folder, runs), folder)
                yield {"case": case.name, "template": case.template, "verb": verb, **found}
                shutil.rmtree(folder / "run", ignore_errors=True)
        finally:
            shutil.rmtree(folder)


@click.command()
@click.option("--only", default="", help="Only cases whose template or name holds this.")
@click.option("--verb", "verbs", multiple=True, type=click.Choice(VERBS), default=VERBS, help="Only this command.")
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    help="Where the runs are, or are made; by default a folder that goes away.",
)
@click.option(
    "--scratch", type=click.Path(path_type=Path), default=tempfile.gettempdir(), help="Where the files are made."
)
@click.option("--write/--no-write", default=False, help="Whether the results are written to benchmarks/results.")
def main(only: str, verbs: tuple[str, ...], runs: Path | None, scratch: Path, write: bool) -> None:
    """Reads hostile files by the real commands."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        runs = runs or Path(folder)
        trained_runs(runs)
        results = []
        for result in measure(only, verbs, runs, scratch):
            results.append(result)
            print(json.dumps(result, ensure_ascii=False), flush=True)
    if write:
        write_json(RESULTS, results)


if __name__ == "__main__":
    main()
