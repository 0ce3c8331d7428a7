"""What a file is: text in which encoding, or something else that only carries a table's name."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE, getincrementaldecoder
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.datasets.readers.parts import UnreadableFile

SAMPLE_BYTES = 256 * 1024
BLOCK_BYTES = 1024 * 1024
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "cp1252": "Western (Windows-1252)",
    "latin-1": "Western (ISO 8859-1)",
    "iso8859-15": "Western (ISO 8859-15)",
    "mac-roman": "Western (Macintosh)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (ISO 8859-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp932": "Japanese (Shift JIS)",
    "euc-jp": "Japanese (EUC-JP)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean (Windows-949)",
}
_SIGNATURES = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls or .doc)"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "a rich text document"),
    (b"\x7fELF", "a program"),
    (BOM_UTF32_LE, "text in UTF-32"),
    (BOM_UTF32_BE, "text in UTF-32"),
)
_HTML = re.compile(rb"\s*<(!doctype\s+html|html|svg|\?xml)\b", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class EncodingGuess:
    """An encoding out of ENCODINGS, and whether it is more than a guess."""

    encoding: str
    is_sure: bool


def refuse_other_kinds(head: bytes) -> None:
    """Raise UnreadableFile with what the file really is, when it is no text file; `head` is its first bytes."""
    kind = _name_kind(head)
    if kind:
        message = _(
            "This is %(kind)s, not a CSV or JSONL file. Open it in the program that made it and save it as CSV."
        )
        raise UnreadableFile(message % {"kind": kind})


def _name_kind(head: bytes) -> str:
    if head.startswith(b"PK\x03\x04"):
        return _name_zip(head)
    if head[257:262] == b"ustar":
        return "a tar archive"
    if _HTML.match(head.removeprefix(BOM_UTF8)):
        return "a web page or XML document"
    return next((kind for magic, kind in _SIGNATURES if head.startswith(magic)), "")


def _name_zip(head: bytes) -> str:
    if b"xl/" in head or b"[Content_Types].xml" in head[:200]:
        return "an Excel workbook or another Office document"
    if b"mimetypeapplication/vnd.oasis" in head[:200]:
        return "an OpenDocument file"
    return "a zip archive"


def detect_encoding(path: Path) -> EncodingGuess:
    """The encoding of a text file: byte order mark, UTF-16 by its zero bytes, strict UTF-8, else a guess.

    Raises UnreadableFile for an empty file and for one that is no text.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.removeprefix(BOM_UTF8).strip():
        raise UnreadableFile(_("The file is empty."))
    refuse_other_kinds(head)
    marked = _marked(head)
    if marked:
        return EncodingGuess(marked, is_sure=True)
    bad_at = _first_bad_utf8(path)
    wide = _wide(head, is_utf8=bad_at is None)
    if wide:
        return EncodingGuess(wide, is_sure=True)
    if bad_at is None:
        return EncodingGuess("utf-8", is_sure=True)
    return _guess(_around(path, head, bad_at))


def _marked(head: bytes) -> str:
    marks = ((BOM_UTF8, "utf-8"), (BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be"))
    return next((name for mark, name in marks if head.startswith(mark)), "")


def _first_bad_utf8(path: Path) -> int | None:
    """Offset of the first block that is not UTF-8, None when the whole file is."""
    decoder = getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        at = 0
        while block := file.read(BLOCK_BYTES):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return max(0, at + error.start)
            at += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return at
    return None


def _wide(head: bytes, *, is_utf8: bool) -> str:
    """UTF-16 without a mark: zero bytes stand at one parity only. ASCII in UTF-16 is valid UTF-8, but half zeros."""
    zeros = (head[0::2].count(0), head[1::2].count(0))
    enough = len(head) // 4 if is_utf8 else max(2, len(head) // 200)
    for name, mine, other in (("utf-16-le", zeros[1], zeros[0]), ("utf-16-be", zeros[0], zeros[1])):
        if mine >= max(1, enough) and mine > 8 * other and _is_valid(head[: len(head) // 2 * 2], name):
            return name
    return ""


def _is_valid(head: bytes, encoding: str) -> bool:
    """Whether the sample decodes; its last character may be cut."""
    try:
        getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _around(path: Path, head: bytes, bad_at: int) -> bytes:
    """A sample that holds the bytes which are not UTF-8."""
    if bad_at < SAMPLE_BYTES // 2:
        return head
    with path.open("rb") as file:
        file.seek(max(0, bad_at - SAMPLE_BYTES // 4))
        return file.read(SAMPLE_BYTES)


def _guess(sample: bytes) -> EncodingGuess:
    """An encoding for a sample that is not UTF-8. Raises UnreadableFile when it is no text at all."""
    if len(_CONTROL.findall(sample)) * 20 > len(sample):
        raise UnreadableFile(_("This is a binary file, not a CSV or JSONL file. Save the table as CSV in UTF-8."))
    if _is_mostly_utf8(sample):
        return EncodingGuess("utf-8", is_sure=False)
    return EncodingGuess(_by_statistics(sample) or "cp1252", is_sure=False)


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether good multi-byte characters outnumber bad bytes 4 : 1 (chosen): a few damaged rows in a UTF-8 file."""
    text = sample.decode("utf-8", "surrogateescape")
    bad = sum("\udc80" <= char <= "\udcff" for char in text)
    good = sum(char > "\x7f" for char in text) - bad
    return good >= 4 * bad


def _by_statistics(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # costs 40 ms, and few files need it

    names = {_plain(name): name for name in ENCODINGS if not name.startswith("utf")}
    best = from_bytes(sample, cp_isolation=sorted(names)).best()
    if best is None:
        return ""
    same = [best.encoding, *best.could_be_from_charset]
    return "cp1252" if "cp1252" in same else names.get(best.encoding, "")


def _plain(name: str) -> str:
    """The name as charset-normalizer spells it."""
    return name.replace("-", "_")
