"""Materials a floor may hold: filament by its density, stock by the piece."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MaterialKind:
    """A material in the form of ``filament`` or ``stock``; density in mg/cm3, thickness in um."""

    title: str
    form: str
    density_mg_cm3: int
    thickness_um: int = 0

    def ug_per_m(self, diameter_um: int = 1750) -> int:
        """Mass of one metre of filament in micrograms."""
        return round(math.pi * (diameter_um / 2) ** 2 * self.density_mg_cm3 / 1000)


# Densities are the makers' usual figures; a lot that was weighed carries its own.
MATERIALS: dict[str, MaterialKind] = {
    "abs": MaterialKind("ABS filament", "filament", 1040),
    "asa": MaterialKind("ASA filament", "filament", 1070),
    "pa": MaterialKind("Nylon filament", "filament", 1140),
    "petg": MaterialKind("PETG filament", "filament", 1270),
    "pla": MaterialKind("PLA filament", "filament", 1240),
    "tpu": MaterialKind("TPU filament", "filament", 1210),
    "hdpe-6": MaterialKind("HDPE sheet, 6 mm", "stock", 955, 6000),
    "mdf-6": MaterialKind("MDF board, 6 mm", "stock", 750, 6000),
    "pom-6": MaterialKind("POM sheet, 6 mm", "stock", 1410, 6000),
    "ply-6": MaterialKind("birch plywood, 6 mm", "stock", 680, 6000),
    "stock": MaterialKind("stock piece of any kind", "stock", 1000, 10000),
}
