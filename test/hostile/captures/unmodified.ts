import type { Host } from '../../../emulator/net/index.js';
import { Lab } from '../../programs/lab.js';
import { Reply, RouterSubject } from './router-subject.js';

const HTTP_PORT = 80;
const PAGE = Buffer.from(Array.from({ length: 20_000 }, (_, i) => 97 + (i % 26)));
const files = {
  '/etc/dnsmasq.conf': 'no-resolv\nlog-facility=-\nhost-record=www.lan,192.168.1.80\ndhcp-range=192.168.1.100,192.168.1.150,12h\nenable-tftp\ntftp-root=/srv\n',
  '/etc/snmp/snmpd.conf': 'agentaddress udp:161\nrocommunity public\nsyslocation rack 7\n', '/etc/snmp/snmp.conf': 'mibs :\n', '/var/lib/snmp/.keep': '',
  '/etc/openntpd/ntpd.conf': 'listen on 192.168.1.1\n', '/var/lib/openntpd/.keep': '', '/run/openntpd/.keep': '',
  '/etc/lighttpd.conf': 'server.document-root = "/srv"\nserver.port = 80\nserver.modules = ("mod_staticfile")\n', '/srv/page': PAGE,
};
const daemons = ['/usr/sbin/dnsmasq -k', '/usr/sbin/snmpd -f -Lo -C -c /etc/snmp/snmpd.conf', '/usr/sbin/openntpd-ntpd -d -f /etc/openntpd/ntpd.conf', '/usr/sbin/lighttpd -D -f /etc/lighttpd.conf'];

/** A router of unmodified packages of Debian: dnsmasq (DNS, DHCP, TFTP), snmpd, openntpd, lighttpd. */
export class Unmodified extends RouterSubject {
  constructor(folder: string) {
    const lab = new Lab(`${folder}/sysroot`, { files, ram: 128 << 20 });
    lab.sleep(2);
    for (const line of daemons) lab.start(...line.split(' '));
    lab.sleep(30);
    super(lab.router, lab.client as Host, { udp: [53, 67, 69, 123, 161], tcp: HTTP_PORT });
  }

  ask(): string | null {
    return this.resolve('www.lan', '192.168.1.80');
  }

  /** The bytes as a request, whatever they are; then an honest one. */
  stream(bytes: Uint8Array, meanwhile: () => void): string | null {
    this.fetch(bytes, meanwhile);
    const page = this.fetch(Buffer.from('GET /page HTTP/1.0\r\n\r\n'), () => {});
    return page.startsWith('HTTP/1.0 200 ') && page.endsWith(`\r\n\r\n${PAGE.toString('latin1')}`) ? null : `a page was answered with ${JSON.stringify(page.slice(0, 200))}`;
  }

  private fetch(request: Uint8Array, meanwhile: () => void): string {
    const connection = this.sender.stack.tcp.socket();
    const reply = new Reply();
    connection.handler = reply;
    connection.connect(this.target.address, HTTP_PORT);
    this.pass(10e6);
    connection.send(request);
    meanwhile();
    this.until(() => connection.ended || connection.state === 'CLOSED', 5);
    connection.close();
    return reply.text;
  }
}
