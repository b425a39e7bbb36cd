"""What one core can do: triad bandwidth and FMA rate, measured with numba. Part of `make bench`."""

import time

import numpy as np
from numba import njit

WORDS = 20_000_000  # 160 MB an array: far more than any cache
CHAIN = 8


@njit(fastmath={"contract"})
def triad(a, b, c, factor):
    """a = b + factor·c: three words moved (a fourth where the cache first reads a), two flops."""
    for i in range(a.size):
        a[i] = b[i] + factor * c[i]


@njit(fastmath={"contract"})
def multiply_add(x, factor, addend, repeats):
    """Chains of dependent multiply-adds on each of a few words in cache."""
    for _ in range(repeats):
        for i in range(x.size):
            v = x[i]
            for _ in range(CHAIN):
                v = factor * v + addend
            x[i] = v


def _best(run, times: int) -> float:
    """Least CPU seconds of several runs."""
    seconds = []
    for _ in range(times):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    return min(seconds)


def bandwidth() -> float:
    """Triad, GB/s, three words an entry."""
    a, b, c = np.zeros(WORDS), np.ones(WORDS), np.ones(WORDS)
    triad(a, b, c, 3.0)
    return 24e-9 * WORDS / _best(lambda: triad(a, b, c, 3.0), 7)


def flops(dtype: type) -> float:
    """Multiply-adds, GFLOP/s, two flops each."""
    x, repeats = np.ones(1024, dtype), 10000
    numbers = dtype(0.5), dtype(1e-9)
    multiply_add(x, *numbers, 1)
    return 2e-9 * CHAIN * x.size * repeats / _best(lambda: multiply_add(x, *numbers, repeats), 5)


if __name__ == "__main__":
    print(
        f"one core: triad {bandwidth():.1f} GB/s; multiply-add {flops(np.float64):.0f} GFLOP/s "
        f"(f64), {flops(np.float32):.0f} GFLOP/s (f32)"
    )
