"""Where everything comes from: `run.json` and the settings."""

import shlex
from collections.abc import Sequence

from data_prep.page import Node, element, section, table
from mta.config import to_json
from mta.reporting.evidence import Evidence


def origin(runs: Sequence[Evidence]) -> Node:
    """The section on provenance."""
    lines = {name: [facts.get(name, "–") for facts in map(facts_of, runs)] for name in facts_of(runs[0])}
    heads = ["", *(run.name for run in runs)]
    provenance = table("What each run was made with", heads, [[n, *v] for n, v in lines.items()], texts=len(heads))
    settings = [to_json(run.config) for run in runs]
    rows = [[name, *(_plain(values[name]) for values in settings)] for name in settings[0]]
    body = table("Settings, defaults included", heads, rows, texts=len(heads))
    return section("Provenance", provenance, element("details", element("summary", "All settings"), body))


def facts_of(run: Evidence) -> dict[str, str]:
    """What `run.json` says, in words."""
    record = run.record
    git = record.get("git") or {}
    packages = record.get("packages") or {}
    inputs = record.get("inputs") or {}
    return {
        "run folder": str(run.folder.path),
        "command": shlex.join(map(str, record.get("command", []))) or "–",
        "seed": str(record.get("seed", run.config.seed)),
        "started, ended": f"{record.get('started', '–')} to {record.get('finished', '–')}",
        "source": f"{git.get('commit', 'unknown')}{' with changes' if git.get('changed') else ''}",
        "Python, platform": f"{record.get('python', '–')}, {record.get('platform', '–')}",
        "packages": ", ".join(f"{name} {version}" for name, version in packages.items() if version) or "–",
        "backend": str(record.get("backend", "–")),
        "store": run.config.store,
        "fingerprints": "; ".join(f"{name} {', '.join(v[:16] for v in prints)}" for name, prints in inputs.items())
        or "–",
        "measured": f"{run.evaluated.get('model', 'best')} model, on {run.evaluated.get('data', run.config.store)}",
    }


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
