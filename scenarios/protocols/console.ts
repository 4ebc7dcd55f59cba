import type { Protocol } from './protocol.js';

const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
const bytesOf = (line: string): Uint8Array => Uint8Array.from(line, (letter) => letter.charCodeAt(0) & 0xff);

/** Text is typed on the console (`names` in turn, "." without); the next line a program writes there is the answer. */
export const console: Protocol = {
  sendsBy: 'console',
  hearsBy: 'console',
  serverPort: 0,
  clientPort: 0,
  broadcast: false,

  request({ sequence, names }) {
    return { key: 'line', bytes: bytesOf(names.length > 0 ? names[sequence % names.length] : '.') };
  },

  answers: () => 'line',
};

/**
 * A datagram is sent (`names` in turn), and the program says on the console how many bytes it read: "read 12". This is
 * how the paper's read loop shows that it lives; it sends nothing back.
 */
export const readLoop: Protocol = {
  sendsBy: 'udp',
  hearsBy: 'console',
  serverPort: 7777,
  clientPort: 7000,
  broadcast: false,

  request({ sequence, names }) {
    const bytes = bytesOf(names.length > 0 ? names[sequence % names.length] : '.'.repeat(20 + (sequence % 40)));
    return { key: `read ${bytes.length}`, bytes };
  },

  answers(line) {
    return /^read \d+$/.test(text(line)) ? text(line) : null;
  },
};
