"""Material parameters (paper, Table 1)."""

from collections.abc import Mapping
from typing import NamedTuple

from porefail.errors import PorefailError


class Material(NamedTuple):
    """Parameters of Eqs 1-5, named as in Table 1; MPa, s, µm for the voids.

    Only the product void_size · void_density enters the model (Eqs 4, 5). growth_coefficient and
    growth_triaxiality_factor: of the first term of Eq. 4, see config/schema.yaml.
    """

    young_modulus: float
    poisson_ratio: float
    yield_strength: float
    void_size: float
    void_density: float
    flow_exponent: float
    damage_exponent: float
    growth_coefficient: float
    growth_triaxiality_factor: float
    flow_coefficient: float
    dynamic_recovery: float
    hardening_modulus: float
    initial_hardening: float
    initial_damage: float
    shear_nucleation: float
    triaxiality_nucleation: float
    maximum_damage: float


def material(parameters: dict[str, float]) -> Material:
    """A Material from a mapping such as an entry of config/materials.yaml.

    Raises PorefailError that names a missing or unknown parameter.
    """
    missing = sorted(set(Material._fields) - set(parameters))
    unknown = sorted(set(parameters) - set(Material._fields))
    if missing or unknown:
        problem = f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}"
        raise PorefailError(f"material parameters: {problem}")
    return Material(**{name: float(parameters[name]) for name in Material._fields})


def named_material(section: Mapping) -> Material:
    """A Material from `simulation.material` of a step's settings: a name and the parameters."""
    return material({key: value for key, value in section.items() if key != "name"})
