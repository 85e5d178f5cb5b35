"""Definition: what may be made and how. Open designs in, routings of operations out."""

from controller.definition.adhoc import Bench, Skipped, designs_from_folder
from controller.definition.design import Design, load_design, manifest_json, shipped_designs
from controller.definition.problems import DesignError, Problem
from controller.definition.profile import (
    Material,
    Profile,
    Program,
    Step,
    profile_from_json,
    profile_json,
)
from controller.definition.programs import ProgramFacts
from controller.definition.routing import RoutedOperation, Routing, route

__all__ = [
    "Bench",
    "Design",
    "DesignError",
    "Material",
    "Problem",
    "Profile",
    "Program",
    "ProgramFacts",
    "RoutedOperation",
    "Routing",
    "Skipped",
    "Step",
    "designs_from_folder",
    "load_design",
    "manifest_json",
    "profile_from_json",
    "profile_json",
    "route",
    "shipped_designs",
]
