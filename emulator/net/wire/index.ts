export * from './address.js';
export * from './arp.js';
export * from './bytes.js';
export { checksum } from './checksum.js';
export * from './ethernet.js';
export * from './icmp.js';
export * from './ipv4.js';
export * from './tcp.js';
export * from './udp.js';
