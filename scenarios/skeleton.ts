import type { FlashSource } from '../ramdisk/index.js';

/** What a distribution's daemons expect to find and its packages do not bring. */
const SKELETON: Record<string, string> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n'
    + 'dnsmasq:x:101:65534::/var/lib/misc:/usr/sbin/nologin\nDebian-snmp:x:105:105::/var/lib/snmp:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nDebian-snmp:x:105:\nnogroup:x:65534:\n',
  '/etc/hosts': '127.0.0.1 localhost\n192.168.1.1 router\n',
  '/etc/resolv.conf': '',
  '/etc/shells': '/bin/sh\n',
  '/run/.keep': '', '/var/run/.keep': '', '/var/lib/misc/.keep': '', '/var/log/.keep': '', '/var/www/.keep': '', '/root/.keep': '', '/etc/dropbear/.keep': '', '/var/tmp/.keep': '', '/srv/.keep': '',
};

/** Those of the skeleton's files that the tree does not have itself. */
export function skeletonFor(tree: FlashSource): Record<string, string> {
  return Object.fromEntries(Object.entries(SKELETON).filter(([path]) => !tree.read(path)));
}
