"""Files in formats that are not read, told by how they begin: each is named, with what to do."""

from __future__ import annotations

import codecs
import re

from include.landfall.errors import DataError

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
BEGINNINGS = {
    b"SQLite format 3": "a database of SQLite", b"%PDF": "a PDF", b"\x89HDF": "a file of HDF5",
    b"CDF\x01": "a file of netCDF", b"CDF\x02": "a file of netCDF", b"$FL2": "a file of SPSS",
    b"$FL3": "a file of SPSS", b"<stata_dta>": "a file of Stata", b"RDX2\n": "a file of R",
    b"RDX3\n": "a file of R", b"X\n\0\0\0": "a file of R", b"{\\rtf": "a text document",
    b"\x93NUMPY": "an array of NumPy", b"FEA1": "a Feather file of version 1",
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture",
    b"7z\xbc\xaf": "packed with 7-Zip", b"Rar!": "packed with RAR",
    b"\x1f\x9d": "packed with compress",
}  # fmt: skip
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # of UTF-32, too
TAR_AT, TAR = 257, b"ustar"
HTML = re.compile(rb"\s*<(?:!doctype html|html|head|body|table)\b", re.IGNORECASE)
XML = re.compile(rb"\s*<(?:\?xml|!doctype|([a-z][\w:.-]*)[\s>])", re.IGNORECASE)
CONTROL = re.compile(rb"[\0\x04-\x08\x0e-\x19]")  # that no text has, nor a delimiter
SHARE = 0.005  # of such bytes, from which a file is no text
FEW = 3  # of them may be in the cells of a small file: their rows are rejects
DO = "have it written as CSV, JSON lines or Parquet"


def refuse_other_formats(data: bytes) -> None:
    """Refuses a file that is no text, or a document in a format that is not read.

    Raises: DataError.
    """
    if data.startswith(OLD_EXCEL):
        do = "save it as .xlsx, without a password"
        raise DataError("the file is an old Excel file", expected="text, or .xlsx", do=do)
    if name := _name_of(data):
        expected = "CSV, JSON, Parquet, ORC, Avro, Arrow or .xlsx"
        raise DataError(f"the file is {name}", expected=expected, do=DO)


def _name_of(data: bytes) -> str | None:
    for beginning, name in BEGINNINGS.items():
        if data.startswith(beginning):
            return name
    if data[TAR_AT : TAR_AT + len(TAR)] == TAR:
        return "an archive of tar"
    text = data.removeprefix(codecs.BOM_UTF8)
    if HTML.match(text):
        return "a page of HTML, perhaps an error message in place of the data"
    if (match := XML.match(text)) and (not match[1] or b"</" + match[1] in data):
        return "XML"
    return "binary, and in no format that is read" if _is_binary(data) else None


def _is_binary(data: bytes) -> bool:
    """Returns whether bytes stand there that no text has: zeros, or control characters."""
    part = data[:65536].rstrip(b"\0")  # some mainframes and disks fill up the last block
    if data.startswith(WIDE):
        return False
    if len(CONTROL.findall(part)) > max(FEW, len(part) * SHARE) and part.count(0) < len(part) * 0.3:
        return True
    even, odd = part[::2].count(0), part[1::2].count(0)
    return part.count(0) > len(part) * SHARE and min(even, odd) > 0.1 * max(even, odd)
