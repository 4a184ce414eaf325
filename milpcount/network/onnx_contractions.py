"""Einsum, CumSum and other sums that are linear where all but one of their inputs are constant."""

from math import prod

import numpy as np
from scipy import sparse

from milpcount.errors import FileFormatError
from milpcount.network.affine_tensor import AffineTensor, check_size
from milpcount.network.by_rows import canonical
from milpcount.network.error_free import product_is_exact
from milpcount.network.onnx_calls import Call, real
from milpcount.types import Array


def einsum(call: Call) -> list[AffineTensor]:
    """Return a sum over products of entries with constants, as `numpy.einsum` writes it."""
    if sum(isinstance(value, AffineTensor) for value in call.inputs) > 1:
        raise FileFormatError("a product of two such values is not piecewise linear")
    terms, result = _read(call.attributes["equation"].decode(), len(call.inputs))
    sizes: dict[str, int] = {}
    for term, value in zip(terms, call.inputs, strict=True):
        shape = value.shape
        if len(term) != len(shape):
            raise FileFormatError(f"{term!r} does not fit an input of shape {tuple(shape)}")
        for letter, size in zip(term, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise FileFormatError(f"{letter!r} has sizes {sizes[letter]} and {size}")
    letters = "".join(dict.fromkeys(result + "".join(terms)))
    whole = tuple(sizes[letter] for letter in letters)
    check_size(prod(whole), whole)
    at = dict(zip(letters, np.ogrid[tuple(slice(n) for n in whole)], strict=True))
    weight: Array = np.ones(())
    columns: Array = np.zeros((), dtype=np.int64)
    for term, value in zip(terms, call.inputs, strict=True):
        where = tuple(at[letter] for letter in term)
        if isinstance(value, AffineTensor):
            columns = value.numbers[where]
            continue
        factor = real(value)[where]
        product = weight * factor
        both = [np.broadcast_to(v, product.shape) for v in (weight, factor)]
        if not product_is_exact(both[0], both[1], product):
            raise FileFormatError("products of its constants are not exact: give their product")
        weight = product
    shape = tuple(sizes[letter] for letter in result)
    rows: Array = np.arange(prod(shape)).reshape(shape)[tuple(at[letter] for letter in result)]
    places = [np.broadcast_to(v, whole).ravel() for v in (rows, columns, weight)]
    kept = places[2] != 0
    rows, columns, weight = (numbers[kept] for numbers in places)
    return [_summed(call.tensor, rows, columns, weight, shape)]


def _read(equation: str, n: int) -> tuple[list[str], str]:
    """Return the letters of each input and of the result."""
    plain = equation.replace(" ", "")
    left, arrow, result = plain.partition("->")
    terms = left.split(",")
    if "." in plain or len(terms) != n:
        raise FileFormatError(f"the equation {equation!r} is not implemented: no '...' is")
    if not arrow:  # letters that come once, in alphabetical order
        found = left.replace(",", "")
        result = "".join(sorted(letter for letter in set(found) if found.count(letter) == 1))
    if len(set(result)) < len(result) or not set(result) <= set(left):
        raise FileFormatError(f"the equation {equation!r} has a result {result!r}")
    return terms, result


def _summed(
    tensor: AffineTensor, rows: Array, columns: Array, weight: Array,
    shape: tuple[int, ...],
) -> AffineTensor:  # fmt: skip
    places = rows * tensor.size + columns
    if np.unique(places).size < places.size:
        # Weights of one entry in one result are added up later, by a factor of their own.
        spread = sparse.csr_array(
            (weight, (np.arange(places.size), columns)), shape=(places.size, tensor.size)
        )
        ones = np.ones(places.size)
        total = sparse.csr_array(
            (ones, (rows, np.arange(places.size))), shape=(prod(shape), places.size)
        )
        return tensor.applied(spread, (places.size,)).applied(total, shape)
    matrix = sparse.csr_array((weight, (rows, columns)), shape=(prod(shape), tensor.size))
    return tensor.applied(canonical(matrix), shape)


def cumulated(call: Call) -> list[AffineTensor]:
    """Return running sums along an axis."""
    tensor, own, axis = call.tensor, call.attributes, call.constant(1)
    assert axis is not None
    number = int(axis.ravel()[0]) % len(tensor.shape)
    before, size, after = (
        prod(tensor.shape[:number]), tensor.shape[number], prod(tensor.shape[number + 1 :])
    )  # fmt: skip
    check_size(before * size * size * after, tensor.shape)
    ones = np.tril(np.ones((size, size)), -1 if own.get("exclusive", 0) else 0)
    line = sparse.csr_array(ones.T if own.get("reverse", 0) else ones)
    inner = sparse.kron(line, sparse.eye_array(after), format="csr")
    matrix = sparse.kron(sparse.eye_array(before), inner, format="csr")
    return [tensor.applied(canonical(matrix), tensor.shape)]
