import { Random } from '../../emulator/base/index.js';
import { DhcpOption, DhcpType, encodeOption } from '../codecs/dhcp.js';
import { concat, u32 } from '../codecs/dns.js';
import { dhcpReboot } from './dhcp.js';
import { quota } from './quota.js';

const input = { sequence: 3, names: [], mac: Uint8Array.of(2, 0, 0, 0, 1, 16), random: new Random(1) };
const own = 0xc0a80167;

/** What a server answers to `request`. */
function reply(request: Uint8Array, type: number, address: number): Uint8Array {
  const bytes = concat(request.subarray(0, 240), encodeOption(DhcpOption.messageType, Uint8Array.of(type)), encodeOption(DhcpOption.server, u32(0xc0a80101)), Uint8Array.of(DhcpOption.end));
  bytes[0] = 2;
  bytes.set(u32(address), 16);
  return bytes;
}

describe('a DHCP client that wants to keep its address', () => {
  const { key, bytes } = dhcpReboot.request(input);

  test('is content with an ACK', () => {
    const ack = reply(bytes, DhcpType.ack, own);
    expect(dhcpReboot.answers(ack)).toBe(key);
    expect(dhcpReboot.follow?.(ack, input)).toBeNull();
  });

  test('refused, starts anew, takes the same address when it is offered, and no other', () => {
    const nak = reply(bytes, DhcpType.nak, 0);
    expect(dhcpReboot.answers(nak)).toBe(key);
    const discover = dhcpReboot.follow?.(nak, input);
    expect(discover && dhcpReboot.answers(reply(discover.bytes, DhcpType.offer, own + 1))).not.toBe(discover?.key);
    const offer = reply(discover?.bytes ?? bytes, DhcpType.offer, own);
    expect(dhcpReboot.answers(offer)).toBe(discover?.key);
    const select = dhcpReboot.follow?.(offer, input);
    expect(select && dhcpReboot.answers(reply(select.bytes, DhcpType.ack, own))).toBe(select?.key);
  });
});

test('a move between accounts is answered by the total that no move changes, and by no other', () => {
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  expect(quota.request(input)).toEqual({ key: '3', bytes: text('3 move 1 0 1') });
  expect(quota.answers(text('3 total 1000'))).toBe('3');
  for (const wrong of ['3 total 999', '3 total', 'total 1000', '', '3 sum 1000']) expect(quota.answers(text(wrong))).toBeNull();
});
