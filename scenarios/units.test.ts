import { formatBytes, formatDuration, formatShare, parseBandwidth, parseBytes, parseDuration, parseRate, parseSize } from './units.js';

describe('quantities in scenarios', () => {
  test('are read with their unit, in whole smallest units', () => {
    expect([parseDuration('40s'), parseDuration('2.5 ms'), parseDuration('1min'), parseRate('20/s'), parseRate('0.5/s')]).toEqual([40e9, 2.5e6, 60e9, 20000, 500]);
    expect([parseBandwidth('100Mbit'), parseBytes('2MiB')]).toEqual([1e8, 2097152]);
  });

  test('without a unit, with a wrong one or with a sign are none', () => {
    for (const text of ['40', 's', '-1s', '1e9s', '40 parsecs', '40constructor', '']) expect(parseDuration(text)).toBeNull();
  });

  test('sizes of a command line are typed as for other emulators, or with the units of a scenario', () => {
    expect(['256K', '64M', '64m', '64MiB', '64MB', '1G', '1.5G', '1GiB'].map(parseSize)).toEqual([262144, 67108864, 67108864, 67108864, 67108864, 1073741824, 1610612736, 1073741824]);
    for (const text of ['64', '', 'M', '-1M', '1e3M', '1T', '1 M x', '0x10M']) expect(parseSize(text)).toBeNull();
  });

  test('are shown so that neither a loss nor an eternity is rounded away', () => {
    expect([formatShare(1), formatShare(0.99999), formatShare(0.9996), formatShare(0), formatShare(0.00001)]).toEqual(['100 %', '> 99.99 %', '99.96 %', '0 %', '< 0.01 %']);
    expect([formatDuration(Infinity), formatDuration(5_004_000_000), formatDuration(1234567), formatDuration(12)]).toEqual(['never', '5 s', '1.23 ms', '12 ns']);
    expect([formatBytes(512), formatBytes(4096), formatBytes(1572864)]).toEqual(['512 B', '4 KiB', '1.5 MiB']);
  });
});
