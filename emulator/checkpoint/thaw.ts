import { Errno, failed, invariant, type Fail, type Result } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import type { Checkpoint } from './checkpoint.js';
import { applyPolicies, restoreDescriptors } from './descriptors.js';
import { consumedSince, reportHazard, reportReleased } from './hazards.js';
import { LOOP_JUMPS, type Cause } from './history.js';
import { Store, storeName } from './image-store.js';
import { layerOf } from './layer.js';
import { checkpointsOf, type ProcessCheckpoints } from './process-checkpoints.js';
import { overlayMemory, releaseOldMap, restoreProcess } from './thaw-commit.js';
import { abandonPlan, planThaw, type ThawGroup, type ThawPlan } from './thaw-plan.js';

export interface ThawOptions {
  /** Shared memory that another live process maps too keeps its present contents. */
  keepShared?: boolean;
  /** Those thawed together with this one. */
  group?: ThawGroup;
}

/**
 * Thaw a process in place: 0, or an errno and the process is as it was. EINVAL: no such checkpoint, or its image is not
 * sound. ENOENT, ESTALE: its file is gone, or another has its name. ENOMEM: not enough frames. EBUSY: see freezeProcess.
 */
export function thawProcess(kernel: Kernel, process: Process, descriptor: number, options: ThawOptions = {}): Result {
  const layer = layerOf(kernel);
  if (!layer) return -Errno.ENOSYS;
  const result = thaw(kernel, process, descriptor, options);
  if (failed(result)) kernel.log.add('checkpoint.fail', { pid: process.pid, comm: process.comm, op: 'thaw', errno: -result });
  return result;
}

function thaw(kernel: Kernel, process: Process, descriptor: number, options: ThawOptions): Result {
  const prepared = prepareThaw(kernel, process, descriptor, options);
  if (failed(prepared)) return prepared;
  commitThaw(kernel, process, prepared);
  return 0;
}

/** A thaw that can no longer fail, provided that it is committed before anything runs. */
export interface PreparedThaw {
  state: ProcessCheckpoints;
  checkpoint: Checkpoint;
  plan: ThawPlan;
  group: ThawGroup | null;
  /** Used by the plan. */
  vops: number;
  cycles: number;
}

export function prepareThaw(kernel: Kernel, process: Process, descriptor: number, options: ThawOptions): PreparedThaw | Fail {
  const state = checkpointsOf(process);
  const checkpoint = state.find(descriptor);
  if (failed(checkpoint)) return checkpoint;
  const before = { vops: kernel.ledger.total('vop.'), cycles: kernel.clock.cycles };
  const checked = layerOf(kernel)?.write.checksum ?? true;
  const plan = planThaw(kernel, process, checkpoint, state.ranges, options.keepShared ?? false, checked, options.group);
  if (failed(plan)) return plan;
  return { state, checkpoint, plan, group: options.group ?? null, vops: kernel.ledger.total('vop.') - before.vops, cycles: kernel.clock.cycles - before.cycles };
}

/** Nothing has changed. */
export function abandonThaw(kernel: Kernel, { plan }: PreparedThaw): void {
  abandonPlan(kernel, plan);
}

export function commitThaw(kernel: Kernel, process: Process, prepared: PreparedThaw): void {
  const { state, checkpoint, plan, group } = prepared;
  const before = { vops: kernel.ledger.total('vop.'), cycles: kernel.clock.cycles };
  const consumed = consumedSince(plan.own);
  reportReleased(kernel, process, plan.own);
  const oldMap = overlayMemory(kernel, process.space, plan);
  const vops = prepared.vops + kernel.ledger.total('vop.') - before.vops;
  invariant(checkpoint.image.store === Store.vnode || vops === 0, 'a thaw past the vnodes used one');
  releaseOldMap(oldMap);
  restoreProcess(kernel, process, plan.image.record, plan.own);
  applyPolicies(process, plan.own, state.livePolicies());
  const changes = restoreDescriptors(kernel, process, plan.own, (file) => group?.comesBack(process, file) ?? false);
  reportJump(kernel, process, state, checkpoint, plan, { consumed, vops, cycles: prepared.cycles + kernel.clock.cycles - before.cycles, ...changes });
}

interface Figures {
  consumed: number;
  vops: number;
  cycles: number;
  closed: number[];
  lost: number[];
}

function reportJump(kernel: Kernel, process: Process, state: ProcessCheckpoints, checkpoint: Checkpoint, plan: ThawPlan, figures: Figures): void {
  const cause: Cause = state.cause ?? { signo: 0, pc: 0, address: 0 };
  const to = checkpoint.descriptor;
  const { from, loop } = state.history.thawed(to, cause);
  state.recovered = { from, to };
  state.cause = null;
  kernel.log.add('checkpoint.thaw', {
    pid: process.pid, comm: process.comm, from, to, signo: cause.signo, pc: cause.pc, badvaddr: cause.address,
    store: storeName(checkpoint.image.store), ...figures, ...(state.input ? { input: { ...state.input } } : {}),
  });
  state.input = null;
  if (figures.lost.length > 0) reportHazard(kernel, process, 'descriptor-closed', { descriptors: figures.lost });
  for (const { range, why } of plan.refused) reportHazard(kernel, process, why === 'check' ? 'persist-check' : 'persist-unmapped', { addr: range.addr, size: range.size });
  for (const region of plan.sharedWith) reportHazard(kernel, process, 'shared-mapping', { start: region.start, end: region.end, name: region.name });
  if (loop >= LOOP_JUMPS && cause.signo !== 0) reportHazard(kernel, process, 'jump-loop', { state: to, signo: cause.signo, count: loop });
}
