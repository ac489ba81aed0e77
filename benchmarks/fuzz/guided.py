"""`python -m benchmarks.fuzz.guided TARGET CORPUS [libFuzzer options]`: the same readers under Atheris, guided by coverage.

Atheris (Apache-2.0) is no dependency of the project: `pip install atheris` into an environment of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mrd.files", "mrd.prepare", "mrd.core"]):
    from benchmarks.fuzz.targets import TARGETS
    from mrd.core.errors import MrdError


def main() -> None:
    """Fuzz one target until it crashes or libFuzzer's limits are reached."""
    name, corpus, *options = sys.argv[1:]
    target, folder = TARGETS[name], Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for i, raw in enumerate(target.corpus()):
        (folder / f"seed-{i}").write_bytes(raw)
    path = Path(tempfile.mkdtemp()) / f"case{target.suffix}"

    def feed(raw: bytes) -> None:
        path.write_bytes(raw)
        try:
            target.run(path)
        except MrdError:
            return

    atheris.Setup([sys.argv[0], str(folder), "-timeout=5", "-rss_limit_mb=2000", *options], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
