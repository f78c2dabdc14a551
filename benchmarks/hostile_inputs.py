"""Random texts, pictures and numbers of the kinds that break programs, for `benchmarks.fuzz`."""

import io
import random

import numpy as np

BLANKS = " \t\r\n\v\f\x1c\x85\xa0\u200b\u2028\u3000\ufeff"
WORDS = "the a good film was not , . Ann Lee lives in Paris 1,000 don't Ein Hund schläft auf der Wiese und".split()
EMOJI = "👍 🏽 \u200d ❤ \ufe0f 🏳 🌈 👩 👨 👧 🇩 🇪 🏴 \U000e0067 \U000e007f 1 \u20e3".split(" ")
MARKS = [chr(point) for point in (*range(0x300, 0x370), *range(0x591, 0x5BE), 0xE31, 0x94D, 0x20DD)]
RIGHT_TO_LEFT = "אבגד ابتث\u200f\u202b\u202e\u2067\u2069 ()1,"
# Steps of a long text; and characters of the longest.
LONG, LONGEST = 1000, 100_000


def hostile_text(generator: random.Random) -> bytes:
    """A text, UTF-8 or not, of a few bytes mostly, and of 100,000 characters now and then."""
    kinds = (_words, _characters, _bytes, _surrogates, _nothing, _emoji, _marks, _right_to_left, _controls, _one_word)
    return generator.choice(kinds)(generator)


def longest_text(generator: random.Random) -> bytes:
    """One of `LONGEST` characters."""
    return "".join(
        generator.choices(generator.choice([WORDS[0] + " ", "a", "\U0001f600", "e\u0301 ", ". "]), k=LONGEST)
    ).encode()


def hostile_numbers(generator: random.Random, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of any size, float32 of a shape: alike, rising, with a leap, missing, beyond all, or none at all."""
    draw = np.random.default_rng(generator.getrandbits(32))
    numbers = draw.normal(size=shape) * 10.0 ** draw.integers(-30, 30)
    kind = generator.randrange(8)
    if kind == 0:
        numbers[...] = generator.choice((0, 1, -5, 1e30, 3e38))
    elif kind == 1:
        numbers = np.cumsum(numbers, axis=0)
    elif kind == 2:
        numbers += 10.0 ** draw.integers(0, 36)
    elif kind in (3, 4) and numbers.size:
        numbers.flat[draw.integers(numbers.size, size=generator.randint(1, 3))] = generator.choice(
            (np.nan, np.inf, -np.inf, 1e38, 1e-45)
        )
    elif kind == 5:
        numbers[...] = np.nan
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32)


def long_text() -> bytes:
    """One of `LONG` steps in every template."""
    return b"word " * LONG


def _words(generator):
    return " ".join(generator.choices(WORDS, k=_length(generator))).encode()


def _characters(generator):
    points = (generator.randrange(0x110000 - 0x800) for _ in range(_length(generator)))
    return "".join(chr(point + 0x800 * (point >= 0xD800)) for point in points).encode()


def _bytes(generator):
    return generator.randbytes(_length(generator))


def _surrogates(generator):
    points = [generator.choice((generator.randrange(0xD800, 0xE000), 97)) for _ in range(_length(generator))]
    return "".join(map(chr, points)).encode("utf-8", "surrogatepass")


def _nothing(generator):
    return "".join(generator.choices(BLANKS, k=generator.randrange(5))).encode()


def _emoji(generator):
    return "".join(generator.choices(EMOJI, k=_length(generator))).encode()


def _marks(generator):
    return "".join(generator.choices([*MARKS, *"aeo "], k=_length(generator))).encode()


def _right_to_left(generator):
    return "".join(generator.choices(RIGHT_TO_LEFT, k=_length(generator))).encode()


def _controls(generator):
    return "".join(
        generator.choices([chr(point) for point in range(0x20)] + [*"a<br/>'-."], k=_length(generator))
    ).encode()


def _one_word(generator):
    return (generator.choice(WORDS) * generator.choice((1, 1, 1, 300))).encode()


def _length(generator):
    return min(1 + int(generator.expovariate(1 / 12)), 80)


def hostile_picture(generator: random.Random) -> bytes:
    """A picture's file: of any kind, size and colours; every second one damaged."""
    if generator.random() < 0.05:
        return generator.randbytes(generator.randrange(300))
    content = _picture(generator)
    return _damaged(generator, content) if generator.random() < 0.5 else content


def _picture(generator) -> bytes:
    from PIL import Image

    kind = generator.choice(["JPEG", "JPEG", "PNG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
    modes = {
        "JPEG": ["L", "RGB", "CMYK"],
        "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
        "GIF": ["L", "P", "RGB"],
    }
    modes |= {"BMP": ["1", "L", "P", "RGB"], "WEBP": ["RGB", "RGBA"], "TIFF": ["RGB"]}
    mode = generator.choice(modes[kind])
    size = generator.choice(
        [(1, 1), (1, 5000), (5000, 1), *[(generator.randint(1, 200), generator.randint(1, 200))] * 9]
    )
    if generator.random() < 0.01:
        size = (3000, 2000)

    def draw():
        pixels = generator.randbytes(16)
        picture = Image.frombytes("RGB", (2, 2), pixels[:12]).resize(size)
        return Image.new("I;16", size, pixels[12] * 256) if mode == "I;16" else picture.convert(mode)

    options = {"progressive": generator.random() < 0.5} if kind == "JPEG" else {}
    if kind in ("GIF", "WEBP") and generator.random() < 0.5 and max(size) < 300:
        options = {"save_all": True, "append_images": [draw(), draw()]}
    file = io.BytesIO()
    draw().save(file, kind, **options)
    return file.getvalue()


def _damaged(generator, content: bytes) -> bytes:
    how = generator.randrange(4)
    if how == 0:
        return content[: generator.randrange(len(content) + 1)]
    changed = bytearray(content)
    # Headers are short, and most of what can go wrong is in them.
    places = [
        generator.randrange(min(len(content), generator.choice((64, len(content)))))
        for _ in range(generator.randint(1, 8))
    ]
    for place in places:
        if how == 1:
            changed[place] ^= 1 << generator.randrange(8)
        elif how == 2:
            changed[place] = generator.choice((0, 255, generator.randrange(256)))
        else:
            changed[place:place] = generator.randbytes(generator.randint(1, 4))
    return bytes(changed)
