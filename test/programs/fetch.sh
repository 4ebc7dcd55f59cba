#!/bin/bash
# usage: fetch.sh DIR
# Downloads the packages the cases use, with what they link to, and unpacks them: DIR/debs, DIR/sysroot. Nothing is installed. Needs an apt that
# knows the architecture (dpkg --add-architecture mipsel && apt-get update).
set -euo pipefail
dir=${1:?usage: fetch.sh DIR}
programs="busybox-static dnsmasq-base tftpd-hpa snmpd snmp bird2 openntpd ntpsec frr iproute2 net-tools iputils-ping lua5.4 bash dash coreutils
 lighttpd mini-httpd micro-httpd dropbear-bin inetutils-inetd inetutils-telnetd tinyproxy-bin radvd nginx
 nsd haproxy redis-server redis-tools mosquitto mosquitto-clients socat openssh-server openssh-sftp-server"
libraries="libacl1 libatomic1 libattr1 libbpf1 libbsd0 libbz2-1.0 libc6 libcap2 libcom-err2 libcrypt1 libdb5.3 libdbus-1-3 libelf1 libgcc-s1 libgcrypt20
 libgdbm6 libgmp10 libgpg-error0 libgssapi-krb5-2 libhogweed6 libidn2-0 libjansson4 libjson-c5 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblz4-1 liblzma5
 libmd0 libmnl0 libnetfilter-conntrack3 libnettle8 libnfnetlink0 libnftables1 libnftnl11 libnsl2 libpci3 libpcre2-8-0 libperl5.36 libreadline8 libselinux1
 libsensors5 libsnmp40 libssh-gcrypt-4 libssl3 libsystemd0 libtinfo6 libtirpc3 libudev1 libunistring2 libwrap0 libtomcrypt1 libtommath1 libxtables12 libxxhash0 libyang2 libzstd1 zlib1g
 libaudit1 libcap-ng0 libcjson1 libdlt2 libevent-2.1-7 libfstrm0 libjemalloc2 liblua5.3-0 liblzf1 libmosquitto1 libopentracing-c-wrapper0 libopentracing1 libpam0g libprotobuf-c1 libstdc++6"
mkdir -p "$dir/debs" "$dir/sysroot"
cd "$dir/debs"
names=()
for name in $programs $libraries; do names+=("$name:mipsel"); done
names+=(netbase)
apt-get -qq -o APT::Sandbox::User=root download "${names[@]}"
for archive in *.deb; do dpkg-deb -x "$archive" ../sysroot; done
cd ../sysroot
[ -e bin/sh ] || ln -s dash bin/sh
# Two packages have an ntpd; the cases call each by a name of its own.
for package in openntpd ntpsec; do
  dpkg-deb -x ../debs/${package}_*.deb ../$package
  cp ../$package/usr/sbin/ntpd usr/sbin/$package-ntpd
  rm -r ../$package
done
