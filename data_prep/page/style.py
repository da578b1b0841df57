"""The look of a page: light, dark and on paper."""

CSS = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d6dae0; --ground: #ffffff; --panel: #f5f6f8;
  --bad: #a4262c; --bad-ground: #fdf0f0; --warn: #7a4b00; --warn-ground: #fff7e6; --good: #1c6b3a;
  --link: #1f5fa8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3abb5; --line: #3b424b; --ground: #15181c;
  --panel: #1e2227; --bad: #ff9c98; --bad-ground: #391a1b; --warn: #f5c97a; --warn-ground: #352a12; --good: #7fd6a0;
  --link: #84b6f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
a { color: var(--link); }
a.skip { position: absolute; left: -100rem; }
a.skip:focus { left: 1rem; top: .5rem; padding: .3rem .6rem; background: var(--panel); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
p, li { max-width: 62rem; overflow-wrap: anywhere; }
.soft, figcaption, caption { color: var(--soft); font-size: .87rem; }
dl.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1rem 0; }
dl.tiles div { background: var(--panel); border-radius: 6px; padding: .6rem .8rem; }
dl.tiles dt { color: var(--soft); font-size: .8rem; }
dl.tiles dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
ul.findings { list-style: none; padding: 0; }
ul.findings li { margin: .4rem 0; padding: .5rem .8rem; border-left: 4px solid; border-radius: 4px; }
li.problem { color: var(--bad); background: var(--bad-ground); }
li.warning { color: var(--warn); background: var(--warn-ground); }
li strong { margin-right: .3rem; }
p.good { color: var(--good); }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); }
td, tbody th { overflow-wrap: break-word; max-width: 24rem; }
th.number, td.number { text-align: right; white-space: nowrap; }
figure { margin: .8rem 0; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px; padding: 6px; }
div.pair { display: grid; grid-template-columns: minmax(18rem, 1fr) auto; gap: 0 1.5rem; align-items: start; }
@media (max-width: 62rem) { div.pair { grid-template-columns: minmax(0, 1fr); } }
@media print { main { max-width: none; padding: 0; } section, figure, tr { break-inside: avoid; }
  section { break-inside: auto; } h2, h3 { break-after: avoid; } .scroll { overflow: visible; } }
"""
