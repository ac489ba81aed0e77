"""The mistakes a user can make, each told in one line: what, where, what to do."""

from __future__ import annotations


class MrdError(Exception):
    """A mistake in what we were given; the command line prints it and exits with 2."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(": ".join(p for p in (where, what) if p) + (f"; {fix}" if fix else ""))


class SheetError(MrdError):
    """A sample sheet or clinical table that cannot be used."""


class PanelError(MrdError):
    """A panel that is wrong, or does not fit the channels of a file."""


class FileError(MrdError):
    """A file that is missing, cut short or not what it says it is."""


class SettingsError(MrdError):
    """A setting that does not exist or has a value that cannot be."""


class ContractError(MrdError):
    """A table or array that does not hold what its declaration promises."""


class EvidenceError(MrdError):
    """Too little data to learn from: no controls, fewer cells than components."""


class ChoiceError(FileError):
    """A file that holds several data sets, of which the sheet names none."""


class DiskError(MrdError):
    """A result that cannot be written: it ends the command, for it says nothing about the data."""


class RunningError(MrdError):
    """A results folder that another run is working in."""
