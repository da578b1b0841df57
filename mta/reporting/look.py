"""What the page on runs adds to the common look, and its one script."""

from importlib.resources import files

STYLE = """
:root { --s0: #2563ab; --s1: #c0392b; --s2: #2f855a; --s3: #b7791f; --s4: #7a55a8; --s5: #4a5568; --s6: #0f8a99;
  --s7: #b0487f; --q0: #3b2a6b; --q1: #3e4f8a; --q2: #2f6f8e; --q3: #238f8a; --q4: #35ab74; --q5: #7fc54d;
  --q6: #b9c72c; --q7: #e0b416; }
@media (prefers-color-scheme: dark) { :root { --s0: #7ab2f5; --s1: #f08a7e; --s2: #6fcf97; --s3: #f0c05a;
  --s4: #bfa0ee; --s5: #b8c2cf; --s6: #5fd0dd; --s7: #ee96c1; --q0: #8a78d8; --q1: #7f96e0; --q2: #6fb2d9;
  --q3: #5cc7c0; --q4: #6fd89c; --q5: #a5e075; --q6: #d6e25f; --q7: #f5d85a; } }
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); }
.q0 { --c: var(--q0); } .q1 { --c: var(--q1); } .q2 { --c: var(--q2); } .q3 { --c: var(--q3); }
.q4 { --c: var(--q4); } .q5 { --c: var(--q5); } .q6 { --c: var(--q6); } .q7 { --c: var(--q7); }
.soft { --c: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; font-size: .9rem; }
div.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .5rem 1.2rem; }
figure.chart { margin: .4rem 0; min-width: 0; }
figcaption.title { color: var(--ink); font-weight: 600; font-size: .9rem; }
svg { display: block; width: 100%; max-width: 26rem; height: auto; }
svg.wide { max-width: 46rem; }
.walk svg { max-width: 36rem; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg text.note, svg text.name { fill: var(--ink); }
svg .line { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; }
svg .line.aside { stroke-width: 1.2; stroke-dasharray: 4 4; }
svg .band { fill: var(--c); opacity: .16; }
svg .bar { fill: var(--c); opacity: .45; }
svg .dot { fill: var(--c); }
svg .faint { opacity: .5; }
svg .dot.here { stroke: var(--ink); stroke-width: 2.5; opacity: 1; }
svg .flow { fill: var(--c); opacity: .16; }
svg .box { fill: var(--panel); stroke: var(--line); }
ul.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; list-style: none; padding: 0; margin: .2rem 0;
  font-size: .85rem; color: var(--soft); }
ul.legend[hidden] { display: none; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; background: var(--c);
  margin-right: .35rem; vertical-align: -.08rem; }
div.gallery { display: flex; flex-wrap: wrap; gap: .6rem; }
div.gallery figure { width: 8.6rem; margin: 0; }
div.gallery img { width: 100%; padding: 0; border-radius: 4px; image-rendering: auto; }
div.gallery figcaption { overflow-wrap: anywhere; font-size: .78rem; line-height: 1.3; margin-top: .2rem; }
.walk { display: grid; grid-template-columns: minmax(0, 1fr) 12rem; gap: 1rem; align-items: start; }
@media (max-width: 48rem) { .walk { grid-template-columns: minmax(0, 1fr); } }
.walk output { display: block; font-size: .85rem; overflow-wrap: anywhere; white-space: pre-line; min-height: 3em; }
.walk .shown { width: 128px; height: 128px; background: var(--panel); border-radius: 6px; image-rendering: auto; }
select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; }
details > summary { cursor: pointer; margin: .5rem 0; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
"""
SCRIPT = (files("mta.reporting") / "page.js").read_text("utf-8")
