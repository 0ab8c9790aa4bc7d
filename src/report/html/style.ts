/** One style sheet for light and dark. Colours are named by what they say: kept as it is, now, as a DSC, saved. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2024; --faint: #646b74; --rule: #e4e7ea; --panel: #f7f8f9;
  --kept: #b4bac1; --now: #5b6b80; --dsc: #0a7d74; --saved: #b9e0dc;
  --good: #0a7d74; --bad: #c22f2f; --doubt: #9a5b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e6e8ea; --faint: #98a1ab; --rule: #2b3036; --panel: #1b1f23;
    --kept: #59616b; --now: #a9b8ca; --dsc: #3fbfb2; --saved: #1d4d4a;
    --good: #3fbfb2; --bad: #ff7b72; --doubt: #e0a458;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 1240px; margin: 0 auto; padding: 32px 20px 48px; }
article + article { margin-top: 64px; padding-top: 40px; border-top: 1px solid var(--rule); }
h1 { margin: 4px 0 8px; font-size: 28px; line-height: 1.2; font-weight: 600; letter-spacing: -0.015em; text-wrap: balance; }
h2 { margin: 40px 0 10px; font-size: 18px; font-weight: 600; }
h3 { margin: 0; font-size: 15px; font-weight: 600; }
p { margin: 0 0 8px; }
a { color: var(--dsc); }
b { font-weight: 600; }
.path { color: var(--faint); margin: 0; overflow-wrap: anywhere; }
.path b { color: var(--ink); }
.lead { max-width: 44em; color: var(--faint); }
.bound, .warn, .warning b { color: var(--doubt); }
.pass { color: var(--good); }
.fail { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 20px 24px; margin: 24px 0 0; padding: 18px 0; border: solid var(--rule); border-width: 1px 0; }
.tiles dt { color: var(--faint); font-size: 13px; }
.tiles dd { margin: 0; }
.tiles .now { font-size: 22px; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
.tiles .then { color: var(--faint); font-size: 13px; }
.tiles .then b { color: var(--dsc); white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 36px 40px; margin-top: 36px; }
figure { margin: 0; }
figcaption { margin-bottom: 8px; }
figure svg { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; font-variant-numeric: tabular-nums; }
.keys { margin: 0; color: var(--faint); font-size: 13px; }
.key { display: inline-block; margin-right: 12px; white-space: nowrap; }
.cost .key:first-child { margin-left: 8px; }
.key i { display: inline-block; width: 9px; height: 9px; margin-right: 5px; border-radius: 50%; background: currentColor; }
.key .kept { background: var(--kept); }
.key .dsc { background: var(--dsc); }
.key .saved { background: var(--saved); }
.key .now { background: none; border: 1.5px solid var(--now); }
.cost .key i { border-radius: 2px; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, button:focus-visible, summary:focus-visible { outline: 2px solid var(--dsc); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 13px; }
.layers { width: 100%; }
th, td { padding: 5px 8px; text-align: left; font-weight: 400; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th.figure, td.figure { text-align: right; }
thead th { color: var(--faint); }
.layers th.name { width: 100%; max-width: 0; min-width: 150px; overflow: hidden; text-overflow: ellipsis; }
.layers td.text { color: var(--faint); }
.layers td:first-child, .reason, .nil { color: var(--faint); }
.layers td b { color: var(--dsc); }
.layers tbody tr:hover > * { background: var(--panel); }
button { all: unset; cursor: pointer; color: inherit; }
button::after { content: ""; display: inline-block; width: 0.9em; text-align: right; }
.figure button::after { width: 0; }
[aria-sort] button { color: var(--ink); font-weight: 600; }
[aria-sort=ascending] button::after { content: "↑"; width: 0.9em; }
[aria-sort=descending] button::after { content: "↓"; width: 0.9em; }
.share { display: flex; align-items: center; justify-content: flex-end; gap: 8px; }
.share svg { width: 56px; height: 7px; }
.share rect { fill: var(--now); }
.checks { margin: 18px 0 0; }
.notes { margin: 0; padding: 0; list-style: none; }
.notes li { margin-bottom: 6px; overflow-wrap: anywhere; }
.cut, footer { color: var(--faint); font-size: 13px; }
footer { margin-top: 40px; overflow-wrap: anywhere; }
footer p { margin: 0 0 4px; }
summary { cursor: pointer; margin: 12px 0; }
@media (max-width: 720px) {
  main { padding: 20px 16px 40px; }
  h1 { font-size: 23px; }
  .figures { grid-template-columns: minmax(0, 1fr); gap: 32px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .wide { display: none; }
  .layers th.name { padding-left: 0; min-width: 84px; white-space: normal; overflow-wrap: anywhere; }
  .layers th, .layers td { padding-right: 4px; padding-left: 4px; }
}
@media print { .scroll { overflow: visible; } figure, tr { break-inside: avoid; } }
`;
