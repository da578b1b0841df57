"""The page, section by section, and the checklist beside it."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from data_prep.errors import InputError
from data_prep.files import replacing
from data_prep.page import Node, document, element
from data_prep.store import Patches
from mta.reporting.beside import beside
from mta.reporting.certainty import certainty
from mta.reporting.checklist import checklist, checklist_text
from mta.reporting.comparing import comparing, require_comparable
from mta.reporting.discrimination import discrimination
from mta.reporting.elsewhere import elsewhere
from mta.reporting.errors import errors
from mta.reporting.evidence import Evidence
from mta.reporting.explained import explained
from mta.reporting.flow import flow
from mta.reporting.folds import folds
from mta.reporting.headline import headline
from mta.reporting.look import SCRIPT, STYLE
from mta.reporting.origin import origin
from mta.reporting.pixels import open_pixels
from mta.reporting.reading import read_runs
from mta.reporting.training import training

LARGEST = 15_000_000
_CHECKLIST = "tripod_claim.md"
_NOTE = "Research use only: not a medical device. Everything on this page is in this one file; nothing is fetched."


def checklist_beside(page: Path) -> Path:
    """Where the checklist of `page` lies: `tripod_claim.md` beside `report.html`, else after the page's name."""
    return page.with_name(_CHECKLIST if page.name == "report.html" else f"{page.stem}_{_CHECKLIST}")


def write_report(runs: Sequence[str | Path], out: str | Path) -> None:
    """Write the page about `runs` (run folders) to `out` (HTML) and its checklist, both whole or none.

    Raises `InputError` for runs that are not finished, not evaluated or damaged, for runs with other test rows, and for
    a page that would be larger than 15 MB.
    """
    out, found = Path(out), read_runs(runs)
    require_comparable(found)
    page = document(_title(found), _parts(found, out.parent / "explain"), STYLE, SCRIPT)
    if (size := len(page.encode())) > LARGEST:
        raise InputError(
            f"{out}: would be {size / 1e6:.0f} MB, at most {LARGEST / 1e6:.0f} are written; name fewer runs"
        )
    with ExitStack() as files:
        places = [files.enter_context(replacing(path)) for path in (out, checklist_beside(out))]
        for place, text in zip(places, (page, checklist_text(found)), strict=True):
            place.write_text(text, encoding="utf-8")


def _title(runs: Sequence[Evidence]) -> str:
    return f"Report on {runs[0].name}" if len(runs) == 1 else f"Report on {len(runs)} runs"


def _parts(runs: Sequence[Evidence], shared: Path) -> list[Node]:
    pixels, members = [open_pixels(run) for run in runs], [one for run in runs for one in run.members]
    of_members = [source for run, source in zip(runs, pixels, strict=True) for _ in run.members]
    try:
        sections = [
            headline(runs),
            comparing(runs),
            flow(runs, pixels),
            folds(runs),
            training(members),
            *discrimination(runs),
            elsewhere(runs),
            *certainty(runs),
            *beside(runs),
            errors(runs, pixels),
            explained(members, of_members, shared),
            origin(runs),
            checklist(runs),
        ]
    finally:
        for source in pixels:
            if isinstance(source, Patches):
                source.close()
    shown = [part for part in sections if part is not None]
    return [element("p", _NOTE, class_="soft"), _contents(shown), *shown]


def _contents(sections: Sequence[Node]) -> Node:
    links = [element("li", element("a", part[0].text or "", href=f"#{part.get('id')}")) for part in sections]
    return element("nav", element("ul", *links), **{"aria-label": "Sections"})
