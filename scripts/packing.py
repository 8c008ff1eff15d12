"""Packs the built front ends into the wheel: hatch asks this hook what belongs to it besides the package."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONT_ENDS = ("frontend", "widget")


class PackFrontEnds(BuildHookInterface):
    """Adds what `make frontends` has built, where it has; an editable install finds it beside the package anyway."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders that go into the wheel, and where the platform looks for them there."""
        if version == "editable":
            return
        for name in FRONT_ENDS:
            dist = Path(self.root) / "services" / name / "dist"
            if (dist / ".built").is_file():
                build_data["force_include"][str(dist)] = f"chatbot/built/{name}"
