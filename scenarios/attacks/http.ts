const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** The head of a request that never ends: field after field, none of them the last. */
export function endlessHead(): Uint8Array {
  return bytesOf(`GET / HTTP/1.1\r\nHost: router\r\n${Array.from({ length: 40 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}`);
}

/** A request like any other; too many of them are the attack. */
export function shortRequest(): Uint8Array {
  return bytesOf('GET / HTTP/1.0\r\n\r\n');
}
