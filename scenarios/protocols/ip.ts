import type { Protocol } from './protocol.js';

/** IP packets as they are, for floods that no daemon is the target of. Nothing is asked, so nothing answers. */
export const rawIp: Protocol = {
  sendsBy: 'ip',
  hearsBy: 'nobody',
  serverPort: 0,
  clientPort: 0,
  broadcast: false,
  request: () => ({ key: '', bytes: new Uint8Array(0) }),
  answers: () => null,
};
