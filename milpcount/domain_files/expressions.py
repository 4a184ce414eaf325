"""The grammar of SMT-LIB, of which VNN-LIB is a part: words and nested lists of them.

Nothing here recurses: a file may nest its parentheses as deep as it likes.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from milpcount import caps
from milpcount.caps import Cap
from milpcount.errors import FileFormatError

Expression = Any
"""A word or a list of expressions."""
Value = TypeVar("Value")

NO_DEFINITIONS = "definitions of names are not supported; write out what they stand for"
_TOKEN = re.compile(r';[^\n]*|[()]|"[^"]*"|\|[^|]*\||[^\s();]+')


def commands(text: str, depth: Cap | None = None) -> Iterator[Expression]:
    """Yield the commands of a text one by one, as nested lists of words.

    Parameters
    ----------
    text : str
    depth : Cap, optional
        How deep lists may be nested; as deep as they like by default.

    Raises
    ------
    FileFormatError
        If parentheses do not match, or a command is larger or deeper than its cap.
    """
    stack: list[list[Expression]] = [[]]
    words = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token.startswith(";"):
            continue
        words = words + 1 if len(stack) > 1 else 1
        if words > caps.WORDS.most:
            caps.WORDS.check(words, f"line {_line(text, match.start())}")
        if token == "(":
            stack.append([])
            if depth is not None and len(stack) > depth.most:
                depth.check(len(stack), f"line {_line(text, match.start())}")
        elif token == ")":
            if len(stack) == 1:
                raise FileFormatError(
                    f"line {_line(text, match.start())}: a parenthesis is closed that was not "
                    "opened"
                )
            closed = stack.pop()
            stack[-1].append(closed)
        else:
            stack[-1].append(token)
        if len(stack) == 1:
            yield stack[0].pop()
    if len(stack) > 1:
        raise FileFormatError(
            f"{len(stack) - 1} parentheses are not closed: the file may be truncated"
        )


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def fold(
    expression: Expression,
    word: Callable[[str], Value],
    operation: Callable[[str, list[Value]], Value],
    is_leaf: Callable[[Expression], bool] = lambda term: False,
    leaf: Callable[[Expression], Value] | None = None,
) -> Value:
    """Return the value of an expression from the values of its words, innermost first.

    Parameters
    ----------
    expression : Expression
    word : callable
        Returns the value of a word.
    operation : callable
        Returns the value of a list from its first word and the values of the others.
    is_leaf, leaf : callable, optional
        Lists that are not entered, and their values.

    Raises
    ------
    FileFormatError
        If a list does not begin with a word, or defines names.
    """
    work: list[tuple[Expression, bool]] = [(expression, False)]
    values: list[Value] = []
    while work:
        term, entered = work.pop()
        if isinstance(term, str):
            values.append(word(term))
        elif leaf is not None and is_leaf(term):
            values.append(leaf(term))
        elif term and term[0] == "let":
            raise FileFormatError(f"{shown(term)}: {NO_DEFINITIONS}")
        elif not term or not isinstance(term[0], str):
            raise FileFormatError(f"{shown(term)} does not begin with the name of an operation")
        elif entered:
            first = len(values) - (len(term) - 1)
            values[first:] = [operation(term[0], values[first:])]
        else:
            work.append((term, True))
            work += [(part, False) for part in reversed(term[1:])]
    return values[0]


def shown(expression: Expression, longest: int = 60) -> str:
    """Return the beginning of an expression as text."""
    parts: list[str] = []
    length, work = 0, [expression]
    while work and length <= longest:
        term = work.pop()
        if isinstance(term, list):
            work += [")", *reversed(term), "("]
            continue
        glue = "" if term == ")" or not parts or parts[-1].endswith("(") else " "
        parts.append(glue + term)
        length += len(parts[-1])
    text = "".join(parts)
    return text if len(text) <= longest and not work else f"{text[: longest - 3]}..."
