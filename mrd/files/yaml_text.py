"""YAML from outside: plain values only, of a bounded size, without anchors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

BYTES_MOST = 1_000_000
DEPTH_MOST = 40


class UnreadableError(ValueError):
    """Not YAML, or YAML that no settings or panel needs."""


class PlainLoader(yaml.SafeLoader):
    """Safe loading without aliases, which make a small file large, and without bottomless nesting."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node.

        Raises
        ------
        UnreadableError
            It is an alias, or nested too deep.
        """
        if self.check_event(yaml.AliasEvent) or self.depth > DEPTH_MOST:
            raise UnreadableError
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read_yaml(path: Path) -> Any:
    """The value of a YAML file.

    Raises
    ------
    UnreadableError
        It is too large, no YAML, or YAML with aliases, nesting or tags that plain values have no use for.
    """
    if path.stat().st_size > BYTES_MOST:
        raise UnreadableError
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=PlainLoader)  # noqa: S506  a subclass of SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, AttributeError):
        raise UnreadableError from None
