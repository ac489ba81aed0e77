"""The figures of the pages: arrays and tables in, a Figure out."""

from mrd.report.controls import plot_controls
from mrd.report.course import plot_course
from mrd.report.scatter import plot_cells

__all__ = ["plot_cells", "plot_controls", "plot_course"]
