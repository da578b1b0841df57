"""One self-contained HTML page on one run or several, with a checklist beside it. See `docs/report.md`."""

from mta.reporting.write import write_report

__all__ = ["write_report"]
