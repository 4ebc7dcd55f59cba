import type { Figure } from '../measure/figures.js';
import type { Measurement } from '../measure/session.js';

export function measurePage(_measurement: Measurement, _figures: readonly Figure[]): string {
  return '';
}
