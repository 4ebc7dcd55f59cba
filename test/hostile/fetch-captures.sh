#!/bin/bash
# usage: fetch-captures.sh DIR
# Unpacks the captures of the tests of Debian's tcpdump source package into DIR. Its list of sources is kept aside: nothing is installed or changed.
set -euo pipefail
dir=${1:?usage: fetch-captures.sh DIR}
. /etc/os-release
mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial"
echo "deb-src http://deb.debian.org/debian ${VERSION_CODENAME:-stable} main" >"$work/sources.list"
apt=(apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$work/lists")
cd "$work"
"${apt[@]}" update
"${apt[@]}" source --download-only tcpdump
for archive in tcpdump_*.orig.tar.*; do
  case $archive in *.asc) continue ;; esac
  tar -xf "$archive" -C "$work" --wildcards '*/tests/*.pcap*'
done
find "$work" -path '*/tests/*.pcap*' -exec mv -t "$dir" {} +
