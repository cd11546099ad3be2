"""What every file format that a feed can declare has, and the registry of formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar, TypeVar

from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import Dialect
from include.landfall.feed.strict import Strict


class FileFormat(Strict, ABC):
    """The base of all formats: a name in `type`, and options."""

    type: str
    # Whether the file names its columns, so that they can be other ones than the feed's.
    names_columns: ClassVar[bool] = True
    # Whether each of its rows names its own instead.
    names_keys: ClassVar[bool] = False

    # Whether a row may have fewer or more cells than the file has columns.
    has_ragged_rows: ClassVar[bool] = False

    # Whether a file may be packed, by gzip, zip and others. Elsewhere the format packs by itself.
    can_be_packed: ClassVar[bool] = True

    @property
    def has_header(self) -> bool:
        """Whether a file of this feed names its columns."""
        return self.names_columns

    @property
    def placed(self) -> Collection[str]:
        """The columns of which the options say where they are in the file."""
        return ()

    @property
    def ignores_keys(self) -> bool:
        """Whether a key of a row that no column reads is left out, by an option of the format."""
        return False

    @property
    def takes_names(self) -> bool:
        """Whether the names that a file gives its columns count."""
        return True

    @abstractmethod
    def dialect(self) -> Dialect:
        """Returns the dialect that the reader of this format takes."""

    def check_columns(self, names: Collection[str]) -> None:
        """Checks that the options fit the columns that the file must have.

        Raises: PydanticCustomError when they name a column that is not there, or leave one out.
        """

    def check_types(self, types: Collection[ColumnType]) -> None:
        """Checks that the options have an effect on a column of these types.

        Raises: PydanticCustomError.
        """


FormatClass = TypeVar("FormatClass", bound=FileFormat)
FORMATS: dict[str, type[FileFormat]] = {}


def register(format_class: type[FormatClass]) -> type[FormatClass]:
    """Adds a format to those that a feed can declare, by the default of its `type`."""
    FORMATS[format_class.model_fields["type"].default] = format_class
    return format_class
