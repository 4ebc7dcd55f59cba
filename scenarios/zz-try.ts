import { serve, servicePathNames } from './measure/service.js';
import { firmwareImage } from './simulation.js';
const image = firmwareImage();
for (const offered of [4000]) for (const path of servicePathNames) for (const interval of path==='none'?[1]:[1,10,100,1000]) for (const state of [0, 4<<20]) {
 const t=Date.now();
 const r = serve({path, interval, offered, state, profile:'mt7628', ramdisk:'tmpfs'}, image);
 console.log(path, interval, state, r.throughput, (r.p50*1e3).toFixed(2), (r.p99*1e3).toFixed(2), r.lost.toFixed(3), r.ringLost, r.socketLost, r.freezes, r.frozen.toFixed(2), Date.now()-t);
}
