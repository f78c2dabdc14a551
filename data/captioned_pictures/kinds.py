"""Which kind of picture a file holds, by what it begins with: its name may say another one."""

READ_KINDS = ("JPEG", "PNG", "GIF", "BMP", "WebP")
# What the files of each kind begin with; "." stands for any byte. Those that are read come first.
BEGINNINGS = {
    "JPEG": [b"\xff\xd8\xff"],
    "PNG": [b"\x89PNG\r\n\x1a\n"],
    "GIF": [b"GIF87a", b"GIF89a"],
    # The size of the header that follows has one digit: "BM" alone is how a text may begin, too.
    "BMP": [b"BM" + 13 * b"." + bytes(3)],
    "WebP": [b"RIFF....WEBP"],
    "TIFF": [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"],
    "AVIF": [b"....ftypavif", b"....ftypavis"],
    "HEIC": [b"....ftyphe", b"....ftypmif1", b"....ftypmsf1"],
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"],
    "JPEG XL": [b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"],
    "ICO": [b"\0\0\1\0"],
    "PNM": [b"P4\n", b"P5\n", b"P6\n"],
    "SVG": [b"<svg"],
    "PSD": [b"8BPS"],
    "PDF": [b"%PDF-"],
}
# The bytes that tell the kind.
LONGEST_BEGINNING = max(len(beginning) for beginnings in BEGINNINGS.values() for beginning in beginnings)
_ARE_READ = f"{', '.join(READ_KINDS[:-1])} and {READ_KINDS[-1]} are read"


def kind_of(first_bytes: bytes) -> str | None:
    r"""The kind of picture that a file holds.

    Args:
        first_bytes: What the file begins with: `LONGEST_BEGINNING` bytes, or all that it has.

    Returns:
        One of `BEGINNINGS`; it is read if it is one of `READ_KINDS`. None where it is no picture that is known.

    Example:
        >>> kind_of(b"\xff\xd8\xff\xe0\x00\x10JFIF")
        'JPEG'
    """
    padded = first_bytes.ljust(LONGEST_BEGINNING, b"\0")
    for kind, beginnings in BEGINNINGS.items():
        for beginning in beginnings:
            if all(one in (wanted, ord(".")) for one, wanted in zip(beginning, padded, strict=False)):
                return kind
    return None


def why_not_read(kind: str | None) -> str:
    """Why files of a kind that is not one of `READ_KINDS` cannot be read.

    Example:
        >>> why_not_read("AVIF")
        'an AVIF picture; JPEG, PNG, GIF, BMP and WebP are read'
    """
    if not kind:
        return f"no picture of a kind that is known; {_ARE_READ}"
    return f"{'an' if kind[0] in 'AIS' else 'a'} {kind} picture; {_ARE_READ}"
