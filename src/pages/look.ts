/** One column, the system's own type, both colour schemes, and paper. Every text colour has a contrast of at least 4.5:1. */
export const LOOK = `
:root {
  color-scheme: light dark;
  --ground: #f5f4ef; --paper: #fffefb; --ink: #1c2529; --soft: #525e64; --line: #dedbd1; --link: #1b5a86;
  --good: #1d6b4b; --good-wash: #e8f2ec; --calm: #25597f; --calm-wash: #e8f0f6;
  --keep: #7d5206; --keep-wash: #f8f0de; --warn: #9b2f26; --warn-wash: #f9eae7; --still: #525e64; --still-wash: #eeede8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #13181a; --paper: #1b2225; --ink: #e7eaea; --soft: #a9b4b9; --line: #343e43; --link: #8cc3ee;
    --good: #7dd3a8; --good-wash: #1a2e26; --calm: #92c3ea; --calm-wash: #1b2b38;
    --keep: #e8bf6d; --keep-wash: #302818; --warn: #f3a399; --warn-wash: #38211f; --still: #a9b4b9; --still-wash: #252d31;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 43rem; padding: clamp(1.25rem, 5vw, 3.5rem) clamp(1rem, 4vw, 2rem) 3rem;
  background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
h1, h2, h3, p, ul, dl, dd { margin: 0; }
h1, .standing h2 { font-family: ui-serif, "Iowan Old Style", Charter, Georgia, "Noto Serif", "Liberation Serif", serif; font-weight: 600; text-wrap: balance; }
h1 { font-size: clamp(1.75rem, 1.4rem + 1.8vw, 2.4rem); line-height: 1.2; letter-spacing: -0.01em; margin-bottom: 1.5rem; }
h2 { font-size: 1.2rem; line-height: 1.35; margin-bottom: 0.35rem; }
h3 { font-size: 1.0625rem; line-height: 1.4; }
p { text-wrap: pretty; }
p + p { margin-top: 0.7em; }
a { color: var(--link); text-underline-offset: 0.18em; }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; border-radius: 2px; }
time { white-space: nowrap; }
code { font: 0.9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; background: var(--still-wash); padding: 0.1em 0.35em; border-radius: 4px; }
header { color: var(--soft); font-size: 0.95rem; margin-bottom: 0.5rem; }
footer { color: var(--soft); font-size: 0.9rem; margin-top: 2rem; padding: 0 0.25rem; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.2rem clamp(1.05rem, 4vw, 1.6rem) 1.3rem; margin-top: 1rem; }
.soft { color: var(--soft); }
.good { --tone: var(--good); --wash: var(--good-wash); }
.calm { --tone: var(--calm); --wash: var(--calm-wash); }
.keep { --tone: var(--keep); --wash: var(--keep-wash); }
.warn { --tone: var(--warn); --wash: var(--warn-wash); }
.still { --tone: var(--still); --wash: var(--still-wash); }
.standing { background: var(--wash); border-color: var(--tone); border-left-width: 6px; padding-top: 1.35rem; padding-bottom: 1.5rem; }
.standing h2 { font-size: 1.55rem; line-height: 1.25; color: var(--tone); margin-bottom: 0.5rem; }
dl { display: grid; grid-template-columns: minmax(9rem, auto) 1fr; gap: 0.5rem 1.5rem; margin-top: 0.6rem; }
dt { color: var(--soft); }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; gap: 0; } dd + dt { margin-top: 0.65rem; } }
ul { list-style: none; padding: 0; margin-top: 0.8rem; }
li { padding: 0.75rem 0 0.75rem 1.5rem; border-top: 1px solid var(--line); position: relative; break-inside: avoid; }
li:last-child { padding-bottom: 0; }
li::before { content: ""; position: absolute; left: 0.15rem; top: 1.2rem; width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--tone); border: 2px solid var(--tone); }
.still li::before, .calm li::before { background: transparent; }
li li { border-top: 0; padding: 0.25rem 0 0; }
li li + li { padding-top: 0.7rem; }
li p + p { margin-top: 0; }
li li::before { content: none; }
li ul { margin-top: 0; }
.links li { padding-left: 0; }
.links li::before { content: none; }
@media print {
  :root {
    --ground: #fff; --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --link: #000;
    --good: #000; --calm: #000; --keep: #000; --warn: #000; --still: #000;
    --good-wash: #fff; --calm-wash: #fff; --keep-wash: #fff; --warn-wash: #fff; --still-wash: #fff;
  }
  body { max-width: none; padding: 0; font-size: 11pt; }
  section { border-radius: 0; border-width: 1px 0 0; padding: 0.8rem 0; margin-top: 0.6rem; }
  .standing { border-width: 1px 1px 1px 6px; padding: 0.8rem 1rem; }
  h2, h3 { break-after: avoid; }
  a[href^="http"]::after { content: " (" attr(href) ")"; }
}
`;
