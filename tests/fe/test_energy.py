"""Work of external forces = stored + dissipated + released energy along a tension test.

With σ = (1−φ)·σ̃ and the elastic energy (1−φ)·w, w = ½ εe:C:εe of the solid, Eq. 1 gives
σ:ε̇ = d/dt[(1−φ)·w] + σ:ε̇p + φ̇·w; plastic flow along the deviator gives σ:ε̇p = σ_vm·ε̇p (the
equivalent rate). All integrals by the trapezoidal rule, so the balance is as good as the step.
"""

import numpy as np
import pytest
from mpi4py import MPI

from porefail.fe.constitutive import PHI
from porefail.fe.equilibrium import Specimen
from porefail.fe.hexahedron import ELEMENTS

SHAPE = (8, 4, 4)  # z, y, x
SPACING, RATE, STRAIN = 0.05, 0.002, 0.03


def porous():
    bearing = np.ones(SHAPE, dtype=bool)
    bearing[3, 1, 1] = bearing[4, 1, 2] = bearing[5, 3, 0] = False
    return bearing


def point_strains(specimen, u, block):
    """Strains (elements, 8 points, 6) of the load-bearing elements."""
    elements, _ = block(SHAPE[::-1], SPACING)
    return np.einsum(
        "gia,ea->egi", specimen.element.strain, u.ravel()[elements[specimen.bearing.ravel()]]
    )


def point_energies(states, moduli):
    """Of each point: elastic energy of the solid w, von Mises stress, φ."""
    elastic, phi = states[..., :6], states[..., PHI]
    effective = elastic @ moduli
    s = effective.copy()
    s[..., :3] -= effective[..., :3].mean(axis=-1, keepdims=True)
    mises = np.sqrt(1.5 * (s[..., :3] ** 2).sum(axis=-1) + 3 * (s[..., 3:] ** 2).sum(axis=-1))
    return 0.5 * (elastic * effective).sum(axis=-1), (1 - phi) * mises, phi


def balance(steps, material, element, moduli, block, point_states):
    """Work, stored, dissipated and released energy of a test in N·mm, after `steps` steps."""
    specimen = Specimen(porous(), SPACING, material, MPI.COMM_SELF, "small", element)
    step, weight = STRAIN / steps, specimen.element.weight
    length = SHAPE[0] * SPACING
    planes = SPACING * np.arange(SHAPE[0] + 1)[:, None, None]
    u = np.zeros((*(n + 1 for n in SHAPE), 3))
    u[..., 2] = step * planes
    states, force = point_states(specimen).copy(), 0.0
    work = dissipated = released = 0.0
    for _ in range(steps):
        assert specimen.equilibrate(u, step / RATE, 1e-8, 50, 1e-3)
        specimen.accept()
        old, states = states, point_states(specimen).copy()
        old_force, force = force, specimen.nominal_stress() * specimen.area
        work += 0.5 * (old_force + force) * step * length
        plastic = point_strains(specimen, u, block) - (states[..., :6] - old[..., :6])
        equivalent = np.sqrt(
            2 / 3 * ((plastic[..., :3] ** 2).sum(-1) + 0.5 * (plastic[..., 3:] ** 2).sum(-1))
        )
        (old_w, old_mises, old_phi), (w, mises, phi) = (
            point_energies(state, moduli) for state in (old, states)
        )
        dissipated += weight * np.sum(0.5 * (old_mises + mises) * equivalent)
        released += weight * np.sum(0.5 * (old_w + w) * (phi - old_phi))
    specimen.destroy()
    return work, weight * np.sum((1 - phi) * w), dissipated, released


@pytest.mark.parametrize("element", ELEMENTS)
def test_work_is_stored_dissipated_or_released(element, named, elasticity, block, point_states):
    material = named("staged")
    moduli = elasticity(material.young_modulus, material.poisson_ratio)
    errors = []
    for steps in (15, 30, 60):
        work, *parts = balance(steps, material, element, moduli, block, point_states)
        errors.append(abs(work - sum(parts)) / work)
    shares = np.array(parts) / work
    print("shares stored, dissipated, released:", *shares, "relative errors:", *errors)
    assert errors[-1] < 1e-4
    assert np.all(-np.diff(np.log2(errors)) > 1)
    # No part is too small for the balance to tell.
    assert shares.min() > 10 * errors[-1]
