import { Clock, EventLog, type LogEntry } from './index.js';
import { LOG_KIND_BYTES } from './log.js';

test('a kind of entry that comes without end is cut off with one note, others go on, and listeners hear of everything', () => {
  const log = new EventLog(new Clock(1e6));
  let heard = 0;
  log.listeners.push({ onEntry: (_entry: LogEntry): void => { heard++; } });
  const text = 'x'.repeat(4096);
  const lines = 2 * Math.ceil(LOG_KIND_BYTES / text.length);
  for (let i = 0; i < lines; i++) log.add('console.line', { text });
  log.add('process.exit', { pid: 2 });
  expect(log.since(log.length - 2).map(({ what }) => what)).toEqual(['log.full', 'process.exit']);
  expect(log.length).toBeLessThan(lines);
  expect(log.length - 2 + (log.dropped.get('console.line') ?? 0)).toBe(lines);
  expect(heard).toBe(lines + 1);
});
