import type { Random } from '../../emulator/base/index.js';

/** What a request is made from; the same inputs give the same bytes. */
export interface RequestInput {
  /** Number of the request within its client, from 0. */
  sequence: number;
  /** Names asked for in turn; empty means a fresh random one each time. */
  names: readonly string[];
  /** The client's hardware address. */
  mac: Uint8Array;
  random: Random;
}

export interface Request {
  /** What the good answer will be recognised by. */
  key: string;
  bytes: Uint8Array;
}

/** How a request and its answer stand on a TCP connection. */
export interface Stream {
  /** How many bytes the whole answer has, as far as `received` tells; null: not yet known, or all until the server closes. */
  length(received: Uint8Array): number | null;
  /** So many connections are used in turn and kept between requests, as many clients would that come back now and then; without, each request has its own. */
  keep?: number;
  /** Attacks only: so much is sent at once, and the next so much later; the connection is kept until the server ends it. */
  trickle?: { bytes: number; everyNs: number };
}

/**
 * How a kind of service is asked and how its good answers are told apart: a table of behaviour, no state. `follow` lets an exchange
 * of several messages go on: it gives the next request, which replaces the one answered.
 */
export interface Protocol {
  /** How requests travel: as a UDP datagram, each on a TCP connection of its own, as IP packets (attacks only), or typed on the console. */
  sendsBy: 'udp' | 'tcp' | 'ip' | 'console';
  /** Where the answer is heard: a datagram that comes back, all that comes on the connection, a line on the console, or nowhere. */
  hearsBy: 'udp' | 'tcp' | 'nobody' | 'console';
  /** Over TCP. */
  stream?: Stream;
  serverPort: number;
  /** 0 = any free port. */
  clientPort: number;
  broadcast: boolean;
  request(input: RequestInput): Request;
  /** Key of the request this message is a good answer to, or null. `asked` is the request on whose connection it came, where there is one. */
  answers(message: Uint8Array, asked?: string): string | null;
  follow?(message: Uint8Array, input: RequestInput): Request | null;
}
