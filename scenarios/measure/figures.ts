import type { PartResult } from './plan.js';

export interface Figure {
  name: string;
  title: string;
  caption: string;
  /** For a page that has the page's colours. */
  svg: string;
  /** For a file of its own. */
  standalone: string;
}

export async function figuresOf(_results: readonly PartResult[]): Promise<Figure[]> {
  return [];
}
