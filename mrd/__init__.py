"""flowmrd: from FCS files to a defensible AML MRD call with its own detection limit."""

__version__ = "0.1.0"
