"""The only place that opens files: FCS, tables, cells, artefacts."""
