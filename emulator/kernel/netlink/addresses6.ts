import { Errno, type Fail } from '../../base/index.js';
import type { Address6 } from '../../net/index.js';
import type { NetInterface } from '../../net/interface.js';
import type { NetStack } from '../../net/stack.js';
import { bytesOfIp6, isLinkLocal, LOOPBACK6, readIp6, type Ip6 } from '../../net/wire/index.js';
import { flagsOf6 } from '../proc-net6.js';
import { AF } from '../socket-numbers.js';
import type { NlAnswer } from './netlink-socket.js';
import { littleEndian, Nlm, NlBody, word } from './message.js';
import type { Request } from './rtnetlink.js';

const Ifa = { ADDRESS: 1, LOCAL: 2, CACHEINFO: 6, FLAGS: 8 } as const;
const Scope = { UNIVERSE: 0, LINK: 253, HOST: 254 } as const;
const FOR_EVER = 0xffffffff;

export function address6Body(net: NetStack, device: NetInterface, of: Address6): Uint8Array {
  const flags = flagsOf6(net, of);
  const scope = of.address === LOOPBACK6 ? Scope.HOST : isLinkLocal(of.address) ? Scope.LINK : Scope.UNIVERSE;
  return new NlBody().raw(Uint8Array.of(AF.INET6, of.prefix, flags, scope)).raw(littleEndian(device.index))
    .attribute(Ifa.ADDRESS, bytesOfIp6(of.address))
    .attribute(Ifa.CACHEINFO, littleEndian(secondsLeft(net, of.preferred) | 0, secondsLeft(net, of.valid) | 0, 0, 0))
    .u32(Ifa.FLAGS, flags).bytes();
}

function secondsLeft({ clock }: NetStack, until: number): number {
  return until === Infinity ? FOR_EVER : Math.max(0, Math.round(clock.toNanoseconds(until - clock.cycles) / 1e9));
}

interface Asked {
  device: NetInterface;
  address: Ip6;
  prefix: number;
}

function asked(net: NetStack, { body, attributes }: Request): Asked | Fail {
  const device = net.interface(word(body.subarray(4)));
  if (!device) return -Errno.ENODEV;
  const value = attributes.get(Ifa.LOCAL) ?? attributes.get(Ifa.ADDRESS);
  if (value?.length !== 16 || body[1] > 128) return -Errno.EINVAL;
  return { device, address: readIp6(value, 0), prefix: body[1] };
}

export function newAddress6(net: NetStack, request: Request): NlAnswer {
  const of = asked(net, request);
  if (typeof of === 'number') return { error: of };
  const { device, address, prefix } = of;
  const info = request.attributes.get(Ifa.CACHEINFO);
  const [preferred, valid] = [end(net, word(info, -1)), end(net, info ? word(info.subarray(4), -1) : -1)];
  if (valid <= net.clock.cycles || preferred > valid) return { error: -Errno.EINVAL };
  const known = device.v6.find(address);
  if (!known) {
    const result = net.v6.addAddress(device, address, prefix, { preferred, valid });
    if (result === 0) net.v6.expireAt(valid);
    return result ? { error: result } : {};
  }
  if (request.flags & Nlm.EXCL || !(request.flags & Nlm.REPLACE)) return { error: -Errno.EEXIST };
  Object.assign(known, { preferred, valid });
  net.v6.expireAt(valid);
  net.notify({ kind: 'address6', gone: false, device, of: known });
  return {};
}

function end({ clock }: NetStack, seconds: number): number {
  return seconds === -1 ? Infinity : clock.cycles + clock.toCycles((seconds >>> 0) * 1e9);
}

export function deleteAddress6(net: NetStack, request: Request): NlAnswer {
  const of = asked(net, request);
  if (typeof of === 'number') return { error: of };
  const result = net.v6.removeAddress(of.device, of.address);
  return result ? { error: result } : {};
}
