"""The parts of an Excel workbook: which sheet is read, its shared texts, and its rows as XML.

A workbook is a zip file of XML. Its entities are refused, and no part is held as a whole but the
shared texts: https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet

from include.landfall.errors import DataError, LandfallError, TruncatedFile
from include.landfall.read.local_faults import local_fault
from include.landfall.read.unpack import UNPACKED_FREELY

# What Excel's "Strict Open XML" has in place of the usual namespaces, for the same names.
STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
STRICT_NAMES = {
    b"http://purl.oclc.org/ooxml/spreadsheetml/main":
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships":
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}  # fmt: skip
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STRINGS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0"
MOST_PART_BYTES = 8 << 20  # of the parts that describe the workbook, each
MOST_TEXT_BYTES = 64 << 20  # of the shared texts as XML, which are held in memory
MOST_ROW_BYTES = 32 << 20  # of one row as XML
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class _Archive(zipfile.ZipFile):
    """A workbook's parts, those that openpyxl reads with the usual namespaces."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """Returns a part."""
        data = super().read(name, pwd)
        for strict, usual in STRICT_NAMES.items():
            data = data.replace(strict, usual)
        return data


@dataclass(frozen=True)
class Workbook:
    """An open workbook: its sheets by name, its calendar, and the styles that show dates."""

    archive: zipfile.ZipFile
    sheets: dict[str, str]  # the visible ones, with their parts
    hidden: dict[str, str]  # the others: a feed may name them
    strings: str | None
    epoch: Any
    date_styles: frozenset[int]
    duration_styles: frozenset[int]

    @classmethod
    def open(cls, stream: BinaryIO) -> Workbook:
        """Opens a workbook.

        Raises: TruncatedFile when it is none, DataError when it is too large or of another form.
        """
        stream.seek(0)
        if stream.read(4) == OLD_OR_ENCRYPTED:
            raise DataError(
                "the file is an old workbook (.xls), or one with a password",
                expected="a workbook as .xlsx, without a password",
                do="ask the sender for one",
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions, which are not read
                return cls._open(stream)
        except ERRORS as error:
            raise corrupt(error) from error

    @classmethod
    def _open(cls, stream: BinaryIO) -> Workbook:
        stream.seek(0)
        reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
        reader.archive = _Archive(stream)
        for part in reader.archive.infolist():
            if part.filename.endswith((".rels", "styles.xml", "workbook.xml", "Types].xml")):
                _check_size(part.filename, part.file_size, MOST_PART_BYTES)
        reader.read_manifest()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        strings = reader.package.find(STRINGS)
        return cls(
            reader.archive,
            *_sheets_of(reader),
            strings.PartName[1:] if strings else None,
            reader.wb.epoch,
            # openpyxl tells which styles show dates nowhere else
            frozenset(reader.wb._date_formats),  # noqa: SLF001
            frozenset(reader.wb._timedelta_formats),  # noqa: SLF001
        )

    def part_of(self, sheet: str | int | None) -> str:
        """Returns the part of a sheet, by its name or number, or of the only one.

        Raises: DataError.
        """
        names = list(self.sheets)
        if isinstance(sheet, int) and sheet <= len(names):
            return self.sheets[names[sheet - 1]]
        if isinstance(sheet, str) and (part := {**self.hidden, **self.sheets}.get(sheet)):
            return part
        if sheet is None and len(names) == 1:
            return self.sheets[names[0]]
        raise DataError(
            f"the workbook has no sheet {sheet!r}" if sheet else "the workbook has several sheets",
            found=", ".join(map(repr, names)) or "none",
            expected="one sheet" if sheet is None else None,
            do="write in the feed which it is, as in format: {type: excel, sheet: Orders}",
        )

    def texts(self) -> list[str]:
        """Returns the shared texts.

        Raises: DataError when they are too large, TruncatedFile.
        """
        if self.strings is None:
            return []
        size = self.archive.getinfo(self.strings).file_size
        _check_size(self.strings, size, MOST_TEXT_BYTES)
        with self.archive.open(self.strings) as part:
            source = _Limited(part, MOST_TEXT_BYTES, MOST_TEXT_BYTES)
            return [text_in(element) for element in _elements(source, "si")]

    def rows(self, part: str, size: int, ratio: int) -> Iterator[Element]:
        """Yields the rows of a sheet's part. `size` is that of the file, which `ratio` bounds.

        Raises: DataError when a row is too large or the sheet out of proportion, TruncatedFile.
        """
        with self.archive.open(part) as sheet:
            source = _Limited(sheet, MOST_ROW_BYTES, max(UNPACKED_FREELY, ratio * size))
            for row in _elements(source, "row"):
                source.begin_row()
                yield row


# What openpyxl and the parser of XML raise on a file that is damaged, or made to do harm.
ERRORS = (
    zipfile.BadZipFile, SyntaxError, DefusedXmlException, KeyError, ValueError, TypeError,
    AttributeError, OSError, NotImplementedError,
)  # fmt: skip


def corrupt(error: Exception) -> LandfallError:
    """Returns the error of a file that is no whole workbook, or of the machine's fault."""
    return local_fault(error) or TruncatedFile(
        "the file is not a whole Excel workbook",
        found=str(error) or type(error).__name__,
        expected="a workbook as .xlsx",
        do="check the feed's format, or ask the sender for the file again",
    )


def text_in(element: Element) -> str:
    """Returns the text of an element, of all its runs, without what is only its pronunciation."""
    parts = []
    for child in element:
        if child.tag == NAMESPACE + "t":
            parts.append(child.text or "")
        elif child.tag == NAMESPACE + "r":
            parts += [text.text or "" for text in child.iter(NAMESPACE + "t")]
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), "".join(parts))


def _elements(source: BinaryIO | _Limited, name: str) -> Iterator[Element]:
    """Yields elements of this name, and lets go of each before the next one."""
    parent: Element | None = None
    try:
        for event, element in iterparse(source, ("start", "end")):
            if event == "start":
                if element.tag.startswith(STRICT):
                    element.tag = NAMESPACE + element.tag.removeprefix(STRICT)
                parent = element if element.tag in PARENTS else parent
            elif element.tag == NAMESPACE + name:
                yield element
                if parent is not None:
                    parent.clear()
    except ERRORS as error:
        raise corrupt(error) from error


PARENTS = {NAMESPACE + "sheetData", NAMESPACE + "sst"}


class _Limited(io.RawIOBase):
    """A part of the workbook, of which a row and the whole may have so many bytes."""

    def __init__(self, part: Any, row: int, whole: int) -> None:
        self._part, self._row = part, row
        self._left_of_row, self._left = row, whole

    def begin_row(self) -> None:
        """Begins to count the bytes of the next row."""
        self._left_of_row = self._row

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes.

        Raises: DataError when a row, or the whole, has more than it may.
        """
        data: bytes = self._part.read(size)
        self._left -= len(data)
        self._left_of_row -= len(data)
        if min(self._left, self._left_of_row) < 0:
            is_row = self._left_of_row < 0
            raise DataError(
                f"a {'row' if is_row else 'sheet'} of the workbook unpacks to more than it may",
                expected=f"rows of at most {self._row >> 20} MiB as XML"
                if is_row
                else "a sheet that unpacks to no more than the ratio under limits: allows",
                do="look into the file; it may be made to fill a machine's memory",
            )
        return data


def _sheets_of(reader: ExcelReader) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the parts of the sheets by their names: of the visible ones, and of the hidden."""
    sheets, hidden = dict[str, str](), dict[str, str]()
    for sheet, relation in reader.parser.find_sheets():
        if "chartsheet" not in relation.Type:
            own = sheets if sheet.state == "visible" else hidden
            own[sheet.name] = relation.target
    return sheets, hidden


def _check_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise DataError(
            f"the part {name} of the workbook is larger than what a load can read",
            found=f"{size} bytes",
            expected=f"at most {most >> 20} MiB",
            do="ask the sender for the rows as CSV",
        )
