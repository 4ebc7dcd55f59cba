/** Colours of a daemon's lives, for light and dark pages. Told apart by lightness too, for those who see few colours. */
export const LIFE_COLOURS: Record<string, { light: string; dark: string; words: string }> = {
  starting: { light: '#9ec5e8', dark: '#3d6f9c', words: 'starting' },
  serving: { light: '#b9dfb4', dark: '#2f6b3a', words: 'serving' },
  faulted: { light: '#d1495b', dark: '#e4606f', words: 'faulted: down' },
  thawing: { light: '#f3c969', dark: '#c99a2e', words: 'thawing' },
  quarantined: { light: '#e6a3ac', dark: '#8c4550', words: 'held back by the supervisor' },
  failed: { light: '#5b5b66', dark: '#b5b5c0', words: 'given up: down for good' },
  ended: { light: '#d8d8de', dark: '#4a4a55', words: 'ended in order' },
};

const variables = (theme: 'light' | 'dark'): string =>
  Object.entries(LIFE_COLOURS).map(([life, colours]) => `--life-${life}: ${colours[theme]};`).join(' ');

export const STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1c22; --soft: #5d5d68; --line: #d9d9e0; --box: #f6f6f9; --lost: #b3142c; --attack: #1c1c22; --jump: #7a4fb5; ${variables('light')} }
@media (prefers-color-scheme: dark) { :root { --page: #16161b; --ink: #e9e9ee; --soft: #a5a5b2; --line: #3a3a44; --box: #1f1f26; --lost: #ff7d8c; --attack: #e9e9ee; --jump: #c2a2f2; ${variables('dark')} } }
body { margin: 0 auto; max-width: 1080px; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, li, dd { max-width: 72ch; } .soft { color: var(--soft); } code { font-size: .9em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; } th[scope=row] { text-align: left; font-weight: normal; } thead th { border-bottom: 2px solid var(--line); } thead th:first-child { text-align: left; }
tr.group th { font-weight: 600; padding-top: .8rem; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; }
figure { margin: 1rem 0; } figcaption { margin-top: .6rem; color: var(--soft); font-size: .9rem; max-width: 80ch; } svg { max-width: 100%; height: auto; color: var(--ink); } .timeline svg { min-width: 640px; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .85rem; margin: .5rem 0; } .legend i { display: inline-block; width: .9rem; height: .9rem; vertical-align: -.12rem; margin-right: .35rem; border-radius: 2px; }
.verdict { padding: .6rem .9rem; background: var(--box); border-left: 4px solid var(--line); margin: .6rem 0; } .verdict.bad { border-color: var(--lost); } .verdict.good { border-color: var(--life-serving); }
.words th, .words td { text-align: left; } pre { overflow-x: auto; background: var(--box); padding: .7rem .9rem; font: .85rem/1.45 ui-monospace, 'DejaVu Sans Mono', monospace; margin: .4rem 0; } pre i { color: var(--soft); font-style: normal; }
a { color: var(--jump); } a:focus-visible { outline: 3px solid var(--jump); outline-offset: 2px; } svg a:focus-visible path, svg a:hover path { stroke: var(--ink); stroke-width: 4; } mark { background: var(--lost); color: var(--page); border-radius: 2px; padding: 0 .1em; }
.faults ul { padding-left: 1.2rem; } .faults a { display: inline-block; min-width: 1.6em; text-align: center; }
.fault { display: none; border: 2px solid var(--lost); border-radius: 6px; padding: .8rem 1.1rem 1.1rem; margin: 1rem 0; scroll-margin-top: 1rem; } .fault:target { display: block; outline: none; } .fault h4 { margin: 1rem 0 .2rem; font-size: .95rem; } .fault h3 { margin: 0; }
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .3rem 1.5rem; } .halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 470px), 1fr)); gap: 0 1.5rem; } .halves > div { min-width: 0; } .fault p { margin: .3rem 0; } .fault .hex { background: none; padding: 0; font-size: .7rem; }
.frames { font: .85rem/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; padding-left: 2.2rem; margin: .4rem 0; overflow-wrap: anywhere; } .cause { white-space: pre-wrap; } .command { white-space: pre-wrap; overflow-wrap: anywhere; }
.diagrams { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1rem; } .diagrams figure { background: var(--box); padding: .8rem; margin: 0; }
`;
