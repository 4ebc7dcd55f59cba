import type { Protocol } from './protocol.js';

/** What quotad's accounts add up to, whatever is moved between them. */
const TOTAL = 1000;

/** "TAG move FROM TO AMOUNT" between quotad's first two accounts, to and fro; a good answer gives the total that no move changes. */
export const quota: Protocol = {
  sendsBy: 'udp',
  hearsBy: 'udp',
  serverPort: 7778,
  clientPort: 0,
  broadcast: false,

  request({ sequence }) {
    const [from, to] = sequence % 2 === 0 ? [0, 1] : [1, 0];
    return { key: String(sequence), bytes: new TextEncoder().encode(`${sequence} move ${from} ${to} 1`) };
  },

  answers(bytes) {
    const [tag, word, total] = new TextDecoder('latin1').decode(bytes).split(' ');
    return word === 'total' && total === String(TOTAL) ? tag : null;
  },
};
