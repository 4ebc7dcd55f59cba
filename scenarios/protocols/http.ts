import type { Protocol } from './protocol.js';

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);

/** Length of the whole response as its Content-Length (RFC 9110 section 8.6) tells, or null. */
function responseLength(received: Uint8Array): number | null {
  const text = textOf(received.subarray(0, 8192));
  const body = text.indexOf('\r\n\r\n');
  const length = body < 0 ? null : /^content-length:[ \t]*(\d+)[ \t]*\r$/im.exec(text.slice(0, body + 2));
  return length ? body + 4 + Number(length[1]) : null;
}

/** A page (`names` are paths, asked for in turn; / without), by HTTP/1.0 (RFC 1945), so that one connection carries one request. A 200 with its whole body is a good answer. */
export const http: Protocol = {
  sendsBy: 'tcp',
  hearsBy: 'tcp',
  serverPort: 80,
  clientPort: 0,
  broadcast: false,
  stream: { length: responseLength },

  request({ sequence, names }) {
    const path = names.length > 0 ? names[sequence % names.length] : '/';
    return { key: `page ${sequence}`, bytes: bytesOf(`GET ${path} HTTP/1.0\r\nHost: router\r\nUser-Agent: shuntbox\r\n\r\n`) };
  },

  answers(response, asked) {
    const length = responseLength(response);
    const whole = /^HTTP\/1\.[01] 200 /.test(textOf(response.subarray(0, 16))) && (length === null || response.length >= length);
    return whole && asked !== undefined ? asked : null;
  },
};

/** HTTP/1.1 (RFC 9112) on eight connections that stay open between requests: what is quiet when the server faults should not notice. */
export const httpKept: Protocol = {
  ...http,
  stream: { length: responseLength, keep: 8 },

  request(input) {
    const { key, bytes } = http.request(input);
    return { key, bytes: bytesOf(textOf(bytes).replace('HTTP/1.0', 'HTTP/1.1')) };
  },
};

/** `http` for attackers who never finish: some bytes, and the next ten seconds later. */
export const httpSlow: Protocol = { ...http, hearsBy: 'nobody', stream: { length: () => null, trickle: { bytes: 24, everyNs: 10e9 } } };
