import { Lab } from './lab.js';

const PORT = 7777;
const loop = (): Lab => new Lab('daemon paper-read-loop none -- /usr/bin/paper-read-loop\n');

function send(lab: Lab, ...texts: string[]): void {
  for (const text of texts) lab.exchange(Buffer.from(text, 'latin1'), PORT, 5353, 0.01);
}

const ownLines = (lab: Lab): string[] => lab.console.filter((line) => !line.startsWith('init:'));

describe("the paper's read loop", () => {
  test('reads until an empty datagram', () => {
    const lab = loop();
    send(lab, 'hello', '+1', '');
    expect(ownLines(lab)).toEqual(['read 5', 'read 2', 'end: 2 datagrams, 7 bytes, table[1] 1']);
    expect(lab.console).toContain('init: paper-read-loop pid 2 exited status 0');
  });

  test('goes back when its pointer has run over the buffer, and keeps the totals', () => {
    const lab = loop();
    send(lab, ...Array<string>(5).fill('x'.repeat(1000)), '+1', '');
    expect(ownLines(lab)).toEqual(['read 1000', 'read 1000', 'read 1000', 'read 1000', 'recovered: signal 11, 5 datagrams, 5000 bytes so far', 'read 2',
      'end: 6 datagrams, 5002 bytes, table[1] 1']);
  });

  test('goes back when a record counts far outside the table, again and again', () => {
    const lab = loop();
    send(lab, '+100000000', '+200000000', '+1', '+300000000', '');
    expect(ownLines(lab).filter((line) => line.startsWith('recovered'))).toHaveLength(3);
    // What was counted since the freeze is gone, as it must be.
    expect(ownLines(lab).at(-1)).toBe('end: 4 datagrams, 32 bytes, table[1] 0');
  });
});
