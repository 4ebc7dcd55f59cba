import { Cap, capabilitiesAfterExec, capabilitiesOf, capable, setCapabilities, userChanged } from '../../emulator/kernel/capabilities.js';
import { Credentials } from '../../emulator/kernel/credentials.js';

const ROOT = { effective: [-1, 0x1ff], permitted: [-1, 0x1ff], inheritable: [0, 0] };
const NONE = { effective: [0, 0], permitted: [0, 0], inheritable: [0, 0] };
const NET_ADMIN = [1 << Cap.NET_ADMIN, 0] as const;

/** setresuid's effect on root. */
function become(ids: Partial<Credentials>, keep = false, cred = new Credentials()): Credentials {
  const before = cred.clone();
  Object.assign(cred, ids);
  userChanged(before, cred, keep);
  return cred;
}

describe('capabilities and user ids (capabilities(7))', () => {
  test('root has all, everybody else none', () => {
    expect(capabilitiesOf(new Credentials())).toEqual(ROOT);
    expect(capabilitiesOf(Object.assign(new Credentials(), { uid: 5, euid: 5, suid: 5 }))).toEqual(NONE);
  });

  test('leaving root for good takes all of them away, unless they are kept; then they are permitted, not effective', () => {
    expect(capabilitiesOf(become({ uid: 5, euid: 5, suid: 5 }))).toEqual(NONE);
    expect(capabilitiesOf(become({ uid: 5, euid: 5, suid: 5 }, true))).toEqual({ ...ROOT, effective: [0, 0] });
  });

  test('a daemon that keeps one takes it up again, as dnsmasq does', () => {
    const cred = become({ uid: 5, euid: 5, suid: 5 }, true);
    expect(capable(cred, Cap.NET_ADMIN)).toBe(false);
    setCapabilities(cred, { effective: NET_ADMIN, permitted: NET_ADMIN, inheritable: [0, 0] });
    expect([capable(cred, Cap.NET_ADMIN), capable(cred, Cap.NET_RAW), capable(cred, Cap.SETUID)]).toEqual([true, false, false]);
    capabilitiesAfterExec(cred);
    expect(capabilitiesOf(cred)).toEqual(NONE);
  });

  test('a set-uid program that steps down and up again has them back', () => {
    const cred = become({ euid: 5 });
    expect(capable(cred, Cap.NET_RAW)).toBe(false);
    expect(capabilitiesOf(cred).permitted).toEqual(ROOT.permitted);
    become({ euid: 0 }, false, cred);
    expect(capabilitiesOf(cred)).toEqual(ROOT);
  });

  test('root that gave one up lacks it, until it executes something', () => {
    const cred = new Credentials();
    setCapabilities(cred, { effective: NET_ADMIN, permitted: NET_ADMIN, inheritable: [0, 0] });
    expect([capable(cred, Cap.NET_RAW), capable(cred, Cap.NET_ADMIN)]).toEqual([false, true]);
    capabilitiesAfterExec(cred);
    expect(capable(cred, Cap.NET_RAW)).toBe(true);
  });
});
