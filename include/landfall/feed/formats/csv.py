"""CSV, as a feed declares it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.dialect import (
    CsvDialect,
    ExactCsvDialect,
    Footer,
    NullScope,
    Spelling,
    needs_exact_reader,
)
from include.landfall.feed.formats.base import register
from include.landfall.feed.formats.encoding import Encoding
from include.landfall.feed.formats.spelling import SpeltFormat
from include.landfall.feed.strict import Strict, combination_error

MOST_HEADERS = 10  # records of names
MOST_SKIPPED = 10_000  # lines
BLANKS = "blanks"
WORDS = {  # that people write for a delimiter
    "tab": r'"\t"', "comma": ",", "semicolon": ";", "pipe": "|", "space": '" "', "blank": '" "',
    **dict.fromkeys(("spaces", "whitespace", r"\s", r"\s+", r"\s*", " +"), BLANKS),
}  # fmt: skip


class CsvFooter(Strict):
    """The last line of each file, which is no row."""

    pattern: str = Field(description="A regular expression that the whole last line matches.")
    count_column: int | None = Field(
        None, ge=1, description="Which field of it, from 1, has the number of the file's rows."
    )
    sum_columns: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Which field of it has the sum of which column of the rows: amount: 3.",
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from None
        return value

    def as_dialect(self) -> Footer:
        """Returns the footer as the reader takes it."""
        return Footer(self.pattern, self.count_column, tuple(self.sum_columns.items()))


@register
class CsvFormat(SpeltFormat):
    """Text, one record a row. The content tells the compression."""

    has_ragged_rows: ClassVar[bool] = True

    type: Literal["csv"] = "csv"
    delimiter: str = Field(
        ",",
        min_length=1,
        max_length=10,
        description="Between the fields: one or more characters; or blanks, for any number of "
        "blanks and tabs, of which those at the ends of a line do not count.",
    )
    quote: str | None = Field(
        '"', description="Around a field: one character, or null where quotes are text."
    )
    escape: Literal["doubled", "backslash", "none"] = Field(
        "doubled",
        description='How a quote is written within quotes: doubled (""), after a backslash, or '
        "never (none).",
    )
    newline: Literal["auto", "LF", "CRLF", "CR", "mixed"] = Field(
        "auto", description="What ends a row: auto is LF or CRLF; mixed is any of the three."
    )
    encoding: Encoding = "utf-8"
    quoted_nulls: NullScope = Field(
        "never",
        description="Where quoted texts of nulls, and the quoted empty one, are NULL too: never, "
        "in columns whose type is no_text, or always.",
    )
    header: bool | int = Field(
        True,
        description="Whether the first row has the names, or how many rows have; these are joined.",
    )
    columns: Literal["by name", "by position"] = Field(
        "by name", description="How the columns are found: by the header's names or by their order."
    )
    skip_rows: int = Field(0, ge=0, le=MOST_SKIPPED, description="Lines before the header.")
    skip_footer: int = Field(0, ge=0, le=MOST_SKIPPED, description="Lines after the last row.")
    footer: CsvFooter | None = Field(None, description="A last line that is checked.")
    comment: str | None = Field(
        None, min_length=1, max_length=10, description="What begins a line that is no row."
    )
    ragged: Literal["reject", "pad"] = Field(
        "reject",
        description="Rows with too few fields, or too many: reject, or pad (missing last cells "
        "are NULL, and what is too many must be empty).",
    )
    quotes: Literal["strict", "repair", "literal"] = Field(
        "strict",
        description="Quotes in the wrong place: strict (the row is rejected), repair (they are "
        "text), literal (all quotes are text).",
    )

    @field_validator("header", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        if not isinstance(value, int) or not 0 <= value <= MOST_HEADERS:
            raise ValueError(f"true, false, or a number of rows up to {MOST_HEADERS}")
        return value

    @field_validator("delimiter")
    @classmethod
    def _written_out(cls, value: str) -> str:
        r"""Takes \t and \x01 for what they mean, since YAML does so only in double quotes."""
        if value.lower() in WORDS:
            raise ValueError(f"{WORDS[value.lower()]} in place of this word")
        value = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: chr(int(m[1], 16)), value)
        value = value.replace("\\t", "\t")
        if re.search("[\r\n\0]", value):
            raise ValueError("characters that are no line end and no zero byte")
        return value

    @field_validator("quote")
    @classmethod
    def _is_one(cls, value: str | None) -> str | None:
        if value in (None, "", "none"):
            return None
        if len(value or "") != 1 or not str(value).isascii() or str(value) in "\r\n\0\\":
            raise ValueError("one ASCII character, or null where quotes are text")
        return value

    @model_validator(mode="before")
    @classmethod
    def _without_a_header_by_position(cls, values: Any) -> Any:
        """Takes columns by position where there are no names."""
        if isinstance(values, dict) and values.get("header") in (False, 0):
            if values.get("columns") == "by name":
                raise ValueError("columns: by position, since header: false leaves no names")
            return {**values, "columns": "by position"}
        return values

    @model_validator(mode="after")
    def _fit(self) -> CsvFormat:
        if self.quote and any(self.quote in each for each in self._delimiters):
            raise ValueError("delimiter and quote must be two different characters")
        if self.escape == "backslash" and "\\" in self.delimiter:
            raise ValueError("escape: backslash, so the delimiter is none")
        if self.skip_footer and self.footer:
            raise ValueError("skip_footer or footer, not both: footer is the one last line")
        has_quotes = self.quote is not None and self.quotes != "literal"
        if self.quoted_nulls != "never" and not has_quotes:
            expected = "never: with quote: null or quotes: literal no cell is quoted"
            raise combination_error(expected, self.quoted_nulls, "quoted_nulls")
        if self.quotes == "repair" and self.delimiter == BLANKS:
            raise combination_error(
                "strict or literal, beside delimiter: blanks", "repair", "quotes"
            )
        if self.quotes == "repair" and (self.quote is None or self.escape != "doubled"):
            raise ValueError("quotes: repair needs a quote and escape: doubled")
        return self

    @model_validator(mode="after")
    def _comments_are_no_rows(self) -> CsvFormat:
        """Checks that no row begins as a comment because of how it is written."""
        comment = self.comment or ""
        if re.search("[\r\n]", comment):
            raise combination_error("what begins a line, without its end", comment, "comment")
        quote = None if self.quotes == "literal" else self.quote
        marks = [("quote", quote), *(("delimiter", each) for each in self._delimiters)]
        for name, mark in marks:
            if comment and mark and (comment.startswith(mark) or mark.startswith(comment)):
                what = f"another beginning than that of the {name}, with which a row can begin, too"
                raise combination_error(what, comment, "comment")
        return self

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that each column that is summed is one of the file's that are loaded.

        Raises: PydanticCustomError.
        """
        for name in self.footer.sum_columns if self.footer else ():
            if name not in names:
                expected = "a column that is loaded from the file"
                raise combination_error(expected, name, "format", "footer", "sum_columns", name)

    @property
    def _delimiters(self) -> tuple[str, ...]:
        """With what a delimiter begins."""
        return (" ", "\t") if self.delimiter == BLANKS else (self.delimiter,)

    @property
    def takes_names(self) -> bool:
        """Whether the names that a file gives its columns count."""
        return self.columns == "by name"

    def spelling(self) -> Spelling:
        """Returns how the cells are spelt, of which blanks and NULLs are told without quotes."""
        needs_nulls = self.trim or self.quoted_nulls != "never"
        return replace(
            super().spelling(),
            nulls=("", *self.nulls) if needs_nulls else (),
            null_scope=self.quoted_nulls,
            trim=self.trim,
        )

    def dialect(self) -> CsvDialect:
        """Returns the dialect with the options of this format."""
        footer = self.footer.as_dialect() if self.footer else None
        dialect = CsvDialect(
            delimiter=" " if self.delimiter == BLANKS else self.delimiter,
            blanks=self.delimiter == BLANKS,
            quote="" if self.quotes == "literal" else self.quote or "",
            nulls=tuple(self.nulls),
            escape=self.escape,
            newline=self.newline,
            encoding=self.encoding,
            header=int(self.header),
            by_position=self.columns == "by position",
            skip_rows=self.skip_rows,
            skip_footer=self.skip_footer,
            footer=footer,
            comment=self.comment or "",
            pad=self.ragged == "pad",
            repair=self.quotes == "repair",
            spelling=self.spelling(),
        )
        if not needs_exact_reader(dialect):
            return dialect
        return ExactCsvDialect(**{f.name: getattr(dialect, f.name) for f in fields(dialect)})
