"""The project's own rules for its code: sizes, names of formats, docstrings, names and words.

A rule takes the project's folder and returns one line per violation: `path:line: what is wrong`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

PRODUCTION = ("dags", "include", "plugins")
MODULE_LINES = 350
CLASS_LINES = 200
FUNCTION_LINES = 30

ENGINE = "include/landfall/"
FORMATS_FOLDER = ENGINE + "read/formats/"
DISPOSITIONS_FOLDER = ENGINE + "write/dispositions/"
# The export writes files, and has its own formats.
MAY_NAME_FORMATS = (ENGINE + "feed/", FORMATS_FOLDER, ENGINE + "export/")
MAY_NAME_DISPOSITIONS = (ENGINE + "feed/", DISPOSITIONS_FOLDER)
MUST_NOT_NAME = (ENGINE, "plugins/", "dags/")

# Words that end in s like a verb in the third person, but are no verbs.
NO_VERBS = {"always", "as", "bytes", "columns", "files", "its", "lines", "rows", "this",
            "thus", "unless", "values"}  # fmt: skip
PRIVATE_WORDS = re.compile(r"\b(anew|house|manners?|mend(s|ed|ing)?|street)\b", re.IGNORECASE)
# These files name the words in order to forbid them.
MAY_USE_PRIVATE_WORDS = {"CONTRIBUTING.md", "tests/support/code_rules.py",
                         "tests/project/test_code_rules.py"}  # fmt: skip

VAGUE_NAMES = {"asked", "found", "known", "said"}

Violation = tuple[int, str]  # line, what is wrong


# ---- sizes ---------------------------------------------------------------------------------------


def long_modules(root: Path) -> list[str]:
    """Finds modules with too many lines, of production code and of tests."""
    lengths = {
        path: path.read_text().count("\n") for path in _modules(root, (*PRODUCTION, "tests"))
    }
    return [
        f"{path.relative_to(root)}: {lines} lines (at most {MODULE_LINES})"
        for path, lines in lengths.items()
        if lines > MODULE_LINES
    ]


def long_classes(root: Path) -> list[str]:
    """Finds classes with too many lines in production code."""

    def check(tree: ast.Module) -> Iterator[Violation]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and _lines(node) > CLASS_LINES:
                yield node.lineno, f"{node.name} has {_lines(node)} lines (at most {CLASS_LINES})"

    return _check_modules(root, check)


def long_functions(root: Path) -> list[str]:
    """Finds functions with too many lines in production code. A docstring is not counted."""

    def check(tree: ast.Module) -> Iterator[Violation]:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = _lines(node) - _docstring_lines(node)
                if lines > FUNCTION_LINES:
                    yield node.lineno, f"{node.name} has {lines} lines (at most {FUNCTION_LINES})"

    return _check_modules(root, check)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return _lines(node.body[0]) if ast.get_docstring(node) is not None else 0


# ---- names of formats and of write dispositions --------------------------------------------------


def format_names(root: Path) -> list[str]:
    """Finds code that tells formats apart by name. A format's own module is the place for it."""
    names = {"csv", "parquet", *_stems(root, FORMATS_FOLDER)}
    return _named(root, names, MAY_NAME_FORMATS)


def disposition_names(root: Path) -> list[str]:
    """Finds code and SQL that tell write dispositions apart by name."""
    names = {"append", "replace", *_stems(root, DISPOSITIONS_FOLDER)}
    quoted = re.compile("'(" + "|".join(sorted(names)) + ")'")
    statements = [
        path for path in (root / ENGINE).rglob("*.sql") if "dispositions" not in path.parts
    ]
    return [
        *_named(root, names, MAY_NAME_DISPOSITIONS),
        *_matching_lines(root, statements, quoted),
    ]


def _stems(root: Path, folder: str) -> set[str]:
    modules = {path.stem for path in (root / folder).glob("*.py") if path.stem[0] != "_"}
    return modules | {name.replace("_", "-") for name in modules}


def _named(root: Path, names: set[str], allowed: tuple[str, ...]) -> list[str]:
    def check(tree: ast.Module) -> Iterator[Violation]:
        for node in ast.walk(tree):
            for text in _discriminating_texts(node):
                if text in names:
                    yield node.lineno, f"tells cases apart by the name {text!r}"

    return _check_modules(
        root, check, lambda name: name.startswith(MUST_NOT_NAME) and not name.startswith(allowed)
    )


def _discriminating_texts(node: ast.AST) -> Iterator[str]:
    """Yields the texts that a comparison, a case, a key or a set of choices names."""
    match node:
        case ast.Compare():
            yield from _texts([node.left, *node.comparators])
        case ast.MatchValue():
            yield from _texts([node.value])
        case ast.Dict():
            yield from _texts(key for key in node.keys if key is not None)
        case ast.Set():
            yield from _texts(node.elts)
        case ast.Subscript():
            yield from _texts([node.slice])
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "startswith" | "endswith")):
            yield from _texts(node.args[:1])


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Tuple | ast.List):
            yield from _texts(node.elts)


# ---- docstrings and words ------------------------------------------------------------------------


def docstring_verbs(root: Path) -> list[str]:
    """Finds public functions whose docstring does not begin with a verb in the third person.

    The docstring of a class or a property may begin with a noun. ruff checks the rest of the form.
    """

    def check(tree: ast.Module) -> Iterator[Violation]:
        for node in _public_functions(tree.body):
            first = (ast.get_docstring(node) or "").split(" ")[0].rstrip(",")
            if first and (not re.fullmatch("[A-Z][a-z]+s", first) or first.lower() in NO_VERBS):
                yield node.lineno, f"{node.name} begins with {first!r}, not with a verb (Loads)"
            elif first in ("Gives", "Tells") and _returns_value(node):
                yield node.lineno, f"{node.name} begins with {first!r}, not with Returns or Yields"

    return _check_modules(root, check)


def _returns_value(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.returns is not None and ast.unparse(node.returns) != "None"


def _public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name[0] != "_":
            yield from _public_functions(node.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            properties = [
                name for each in node.decorator_list if "property" in (name := _name(each))
            ]
            if node.name[0] != "_" and not properties:
                yield node


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).rpartition(".")[2]


def private_words(root: Path) -> list[str]:
    """Finds words that only the authors understand. CONTRIBUTING.md says which to use instead."""
    folders = (*PRODUCTION, "tests", "docs", ".ci", ".github")
    files = [path for name in folders for path in (root / name).rglob("*") if _is_prose(path)]
    files += [*root.glob("*.md"), *root.glob("*.yml"), *root.glob("Makefile")]
    allowed = {root / name for name in MAY_USE_PRIVATE_WORDS}
    return _matching_lines(root, [path for path in files if path not in allowed], PRIVATE_WORDS)


def _is_prose(path: Path) -> bool:
    return path.suffix in {".py", ".md", ".sql", ".yaml", ".yml"} or path.parent.name == ".ci"


def vague_names(root: Path) -> list[str]:
    """Finds variables named after how their value was obtained, not after what they hold."""

    def check(tree: ast.Module) -> Iterator[Violation]:
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) if name in VAGUE_NAMES:
                    yield node.lineno, f"{name} does not say what it holds"

    return _check_modules(root, check, folders=(*PRODUCTION, "tests"))


# ---- where the rules look -----------------------------------------------------------------------


def _modules(root: Path, folders: Iterable[str]) -> list[Path]:
    return [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]


def _matching_lines(root: Path, paths: Iterable[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number}: {match[0]}"
        for path in sorted(paths)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := pattern.search(line))
    ]


def _check_modules(
    root: Path,
    check: Callable[[ast.Module], Iterator[Violation]],
    wanted: Callable[[str], bool] = lambda _: True,
    folders: tuple[str, ...] = PRODUCTION,
) -> list[str]:
    violations = []
    for path in _modules(root, folders):
        name = str(path.relative_to(root))
        if wanted(name):
            violations += [
                f"{name}:{line}: {what}" for line, what in check(_parse(path.read_text()))
            ]
    return violations


@cache  # each rule looks at the same modules
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


RULES: dict[str, Callable[[Path], list[str]]] = {
    rule.__name__: rule
    for rule in (
        long_modules, long_classes, long_functions, format_names, disposition_names,
        docstring_verbs, private_words, vague_names,
    )
}  # fmt: skip
