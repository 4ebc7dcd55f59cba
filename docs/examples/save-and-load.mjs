// Boots a router, saves it in the middle of its work, loads it again and runs both on: their event logs are the same.
import { readFileSync } from 'node:fs';
import { Router } from '../../dist/index.js';

const image = readFileSync(new URL('../../router-firmware/image/router.cpio.gz', import.meta.url));
const router = Router.create({ profile: 'mt7628', image, seed: 7 });
router.boot();

const second = router.kernel.clock.hz;
router.run(0.05 * second);
const saved = router.save();
const twin = Router.load(saved);

router.run(5 * second);
twin.run(5 * second);

console.log(router.consoleText());
console.log(`saved after 0.05 s of the router's time: ${(saved.length / 1048576).toFixed(1)} MiB`);
console.log(`event logs ${router.log.lines() === twin.log.lines() ? 'are the same' : 'DIFFER'}, ${router.log.length} entries`);
process.exitCode = router.log.lines() === twin.log.lines() ? 0 : 1;
