import { escape } from './html.js';
import { STYLE } from './style.js';

export interface Section {
  title: string;
  html: string;
}

/** A page that loads nothing: a heading, and sections one below the other. */
export function plainPage(title: string, lead: string, sections: readonly Section[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}: Shuntbox report</title><style>${STYLE}</style></head>
<body>
<h1>${escape(title)}</h1>
${lead}
${sections.map((section) => `<h2>${escape(section.title)}</h2>\n${section.html}`).join('\n')}
</body></html>
`;
}
