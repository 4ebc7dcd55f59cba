# The committed firmware and guest programs are what the sources give, and qemu still answers what the tests expect.
command -v mipsel-linux-gnu-gcc >/dev/null || { echo 'skipped: no mipsel-linux-gnu-gcc'; exit 0; }
set -e
npm run --silent firmware
git diff --exit-code --stat -- router-firmware test/guest
command -v qemu-mipsel-static >/dev/null || { echo 'skipped: no qemu-mipsel-static'; exit 0; }
node test/guest/record.mjs --check
