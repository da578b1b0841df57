"""One self-contained HTML page that describes a patch store. See `docs/splits.md`."""

from data_prep.report.write import write_report

__all__ = ["write_report"]
