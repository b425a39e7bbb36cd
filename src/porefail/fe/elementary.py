"""exp and log for vector loops (numba).

The C library's functions keep LLVM from vectorising a loop that calls them. These have neither
branches nor calls; both are within 4 units in the last place of NumPy's.
"""

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
# Added to a number, it leaves the nearest integer in the low bits of the mantissa.
_ROUND = 6755399441055744.0
_TWO_52 = 4503599627370496.0
_BITS_TWO_52 = 0x4330000000000000
_BITS_SQRT_HALF = 0x3FE6A09E667F3BCD
_EXPONENT = 0xFFF << 52
_BIAS = 0x400 << 52


@intrinsic
def _bits(typing_context, number):
    """The 64 bits of a double as an integer."""

    def code(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.uint64(types.float64), code


@intrinsic
def _double(typing_context, bits):
    """The double with these 64 bits."""

    def code(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), code


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def exp(x):
    """e**x; x is clipped to [-700, 700]."""
    x = min(max(x, -700.0), 700.0)
    shifted = x * _LOG2_E + _ROUND
    k = shifted - _ROUND
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    # Taylor series on |r| <= ln(2)/2, by Estrin's scheme: short chains of dependent operations.
    r2 = r * r
    r4 = r2 * r2
    p0 = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0))
    p1 = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0))
    p2 = (1.0 / 40320.0 + r * (1.0 / 362880.0)) + r2 * (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
    p3 = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    p = p0 + r4 * (p1 + r4 * (p2 + r4 * p3))
    return p * _double((_bits(shifted) + types.uint64(1023)) << types.uint64(52))


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def log(x):
    """Natural logarithm of a normal positive x; meaningless for others."""
    bits = _bits(x)
    # x = z * 2**k with z in [sqrt(1/2), sqrt(2)).
    offset = bits - types.uint64(_BITS_SQRT_HALF) + types.uint64(_BIAS)
    z = _double(bits - ((offset - types.uint64(_BIAS)) & types.uint64(_EXPONENT)))
    k = _double((offset >> types.uint64(52)) | types.uint64(_BITS_TWO_52)) - (_TWO_52 + 1024.0)
    s = (z - 1.0) / (z + 1.0)
    # 2 artanh(s), |s| <= 0.1716.
    q = s * s
    q2 = q * q
    q4 = q2 * q2
    p0 = (1.0 / 3.0 + q * (1.0 / 5.0)) + q2 * (1.0 / 7.0 + q * (1.0 / 9.0))
    p1 = (1.0 / 11.0 + q * (1.0 / 13.0)) + q2 * (1.0 / 15.0 + q * (1.0 / 17.0))
    p2 = 1.0 / 19.0 + q * (1.0 / 21.0)
    p = p0 + q4 * (p1 + q4 * p2)
    series = 2.0 * s + 2.0 * s * (q * p)
    return k * _LN2_HIGH + (series + k * _LN2_LOW)
