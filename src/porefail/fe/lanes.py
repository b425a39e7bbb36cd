"""Numbers that compiled code computes side by side: LANES of them, in single or double precision.

Numba knows no vectors, and LLVM finds them in long loop bodies only by halves. Here arithmetic is
written down once for numbers that support + - *: NumPy arrays, or `Lanes`, which emits LLVM
instructions for whole vectors.
"""

import numpy as np
from llvmlite import ir
from numba import types

LANES = 8

_NUMBERS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}
_FUSED = ("contract",)  # a·b + c may become one instruction


class Lanes:
    """A vector in the function that `builder` writes; plain numbers stand for all lanes."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value):
        self._builder, self._value = builder, value

    def _operand(self, other):
        if isinstance(other, Lanes):
            return other._value
        kind = self._value.type
        number = float(np.float32(other)) if kind.element == ir.FloatType() else float(other)
        return ir.Constant(kind, [number] * LANES)

    def __add__(self, other):
        return Lanes(
            self._builder, self._builder.fadd(self._value, self._operand(other), flags=_FUSED)
        )

    def __sub__(self, other):
        return Lanes(
            self._builder, self._builder.fsub(self._value, self._operand(other), flags=_FUSED)
        )

    def __mul__(self, other):
        return Lanes(
            self._builder, self._builder.fmul(self._value, self._operand(other), flags=_FUSED)
        )

    __rmul__ = __mul__

    def shifted(self, before: "Lanes") -> "Lanes":
        """The same one lane further; the last lane of `before` comes first."""
        order = ir.Constant(
            ir.VectorType(ir.IntType(32), LANES), list(range(LANES - 1, 2 * LANES - 1))
        )
        return Lanes(self._builder, self._builder.shuffle_vector(before._value, self._value, order))

    def widened(self) -> "Lanes":
        """The same numbers in double precision."""
        double = ir.VectorType(ir.DoubleType(), LANES)
        return Lanes(self._builder, self._builder.fpext(self._value, double))

    def store(self, place: ir.Value) -> None:
        """Write to a place that `places` gave."""
        self._builder.store(self._value, place, align=4)


def load(builder: ir.IRBuilder, place: ir.Value) -> Lanes:
    """Read from a place that `places` gave."""
    return Lanes(builder, builder.load(place, align=4))


def places(context, builder: ir.IRBuilder, array_type, array: ir.Value):
    """Gives the places of vectors in a flat array of numba's, float32 or float64: a function of an
    index and a constant to add to it."""
    vector = ir.VectorType(_NUMBERS[array_type.dtype], LANES)
    data = context.make_array(array_type)(context, builder, array).data

    def place(index: ir.Value, offset: int = 0) -> ir.Value:
        at = builder.add(index, ir.Constant(index.type, offset))
        return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())

    return place
