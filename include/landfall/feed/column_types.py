"""The types that a feed can declare: how they are written, and what each is to Postgres."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from include.landfall.feed import other_words

# What people write, and the name that Postgres itself shows (pg_catalog.format_type).
ALIASES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "decimal": "numeric",
    "float4": "real",
    "float": "double precision",
    "float8": "double precision",
    "double": "double precision",
    "bool": "boolean",
    "string": "text",
    "character varying": "varchar",
    "character": "char",
    "bit varying": "varbit",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
PLAIN = frozenset(
    "smallint integer bigint real boolean text bytea date uuid json jsonb inet".split()
) | {"double precision"}
# Types that take modifiers in parentheses, and how many at the most.
MODIFIED = {
    "numeric": 2, "varchar": 1, "char": 1, "time": 1, "timetz": 1, "timestamp": 1,
    "timestamptz": 1, "interval": 1, "bit": 1, "varbit": 1,
}  # fmt: skip
BUILT_IN = PLAIN | MODIFIED.keys()
# The greatest length: https://www.postgresql.org/docs/current/datatype-character.html
LONGEST = {"varchar": 10_485_760, "char": 10_485_760, "bit": 83_886_080, "varbit": 83_886_080}
# Short forms of CREATE TABLE, which no cell can be read as.
SERIALS = {"smallserial": "smallint", "serial2": "smallint", "serial": "integer",
           "serial4": "integer", "bigserial": "bigint", "serial8": "bigint"}  # fmt: skip

_SPELLING = re.compile(
    r"^(?P<name>[a-z_][a-z0-9_ ]*?)\s*(?:\((?P<modifiers>\s*-?\d+\s*(?:,\s*-?\d+\s*)?)\))?"
    r"(?P<zone>\s+with(?:out)? time zone)?\s*(?P<array>\[\])?$"
)
# A type of an extension may have modifiers too: geometry(Point,4326), vector(3).
_NAME = re.compile(
    r'^(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?(?:\(\s*\w+\s*(?:,\s*\w+\s*)*\))?$'
)


@dataclass(frozen=True)
class ColumnType:
    """A type as declared: `numeric(15,2)[]` is ("numeric", (15, 2), True).

    A name that is not built in is a type of the target (an enum, a domain, one of an extension),
    kept as it was written, modifiers and all.
    """

    name: str
    modifiers: tuple[int, ...] = ()
    array: bool = False

    @property
    def built_in(self) -> bool:
        """Whether Postgres brings the type; otherwise the target database defines it."""
        return self.name in BUILT_IN

    @property
    def element(self) -> ColumnType:
        """The type of an array's elements; of any other type, itself."""
        return ColumnType(self.name, self.modifiers)

    def __str__(self) -> str:
        modifiers = f"({','.join(map(str, self.modifiers))})" if self.modifiers else ""
        return f"{self.name}{modifiers}{'[]' if self.array else ''}"


def parse_type(text: str) -> ColumnType:
    """Takes a declared type apart.

    Raises: ValueError that says what is wrong with it.
    """
    text = text.strip()
    match = _SPELLING.match(text.lower())
    if match:
        name = match["name"].strip() + re.sub(r"\s+", " ", match["zone"] or "")
        name = ALIASES.get(name, name)
        if name in BUILT_IN:
            return ColumnType(name, _modifiers(name, match["modifiers"]), bool(match["array"]))
    if whole := SERIALS.get(text.lower()):
        raise ValueError(f"{text} is {whole} with a default of the table: declare {whole}")
    bare = text.removesuffix("[]")
    if not _NAME.match(bare) or _is_misspelt(bare):
        names, near = ", ".join(sorted(BUILT_IN)), near_type(bare.partition("(")[0])
        meant = f"; did you mean {near!r}?" if near else ""
        raise ValueError(
            f"{text!r} is not a type; known are {names}, or an enum or domain's name{meant}"
        )
    return ColumnType(bare, (), text.endswith("[]"))


def near_type(name: str) -> str | None:
    """Returns the type that may be meant by a name that is none."""
    near = get_close_matches(name.lower(), [*BUILT_IN, *ALIASES], n=1)
    return other_words.TYPES.get(name.lower()) or (near[0] if near else None)


def _is_misspelt(text: str) -> bool:
    """Returns whether the text is a built-in type with modifiers that it does not have."""
    name, has_modifiers, _ = text.lower().partition("(")
    return bool(
        has_modifiers and get_close_matches(name.strip(), BUILT_IN | ALIASES.keys(), 1, 0.8)
    )


def _modifiers(name: str, text: str | None) -> tuple[int, ...]:
    modifiers = tuple(int(part) for part in text.split(",")) if text else ()
    if len(modifiers) > MODIFIED.get(name, 0):
        raise ValueError(f"{name} takes no such modifiers: ({text})")
    if name == "numeric" and modifiers and not 1 <= modifiers[0] <= 1000:
        raise ValueError(f"a numeric has 1 to 1000 digits, not {modifiers[0]}")
    if name == "numeric" and not all(abs(scale) <= 1000 for scale in modifiers[1:]):
        raise ValueError(f"a numeric's scale is -1000 to 1000, not {modifiers[1]}")
    if name in LONGEST and not all(1 <= length <= LONGEST[name] for length in modifiers):
        raise ValueError(f"the length of {name} is 1 to {LONGEST[name]}, not {modifiers[0]}")
    # Postgres reads a bare char as char(1), and numeric(9) as numeric(9,0).
    if name == "numeric" and len(modifiers) == 1:
        return (modifiers[0], 0)
    return (1,) if name == "char" and not modifiers else modifiers
