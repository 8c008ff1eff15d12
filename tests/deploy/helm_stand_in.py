"""`helm template` by the library of real Helm: scripts call a program, and no wheel brings one.

Run with `python -m tests.deploy.helm_stand_in template RELEASE CHART --namespace NS --values FILE`.
"""

import argparse
import sys
from pathlib import Path

import helm_python

from scripts.render_overlays import CHART, render, values_of


def main() -> int:
    """Render, or say why not, as Helm does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["template"])
    parser.add_argument("release")
    parser.add_argument("chart", type=Path)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--values", type=Path, required=True)
    asked = parser.parse_args()
    assert asked.chart.resolve() == CHART
    try:
        values = values_of(CHART / "values.yaml", asked.values)
        sys.stdout.write(render(values, release=asked.release, namespace=asked.namespace))
    except helm_python.HelmError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
