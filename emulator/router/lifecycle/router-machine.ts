import { setup } from 'xstate';

export type RouterEvent =
  | { type: 'POWER_ON' }
  | { type: 'UNPACKED' }
  | { type: 'INIT_STARTED' }
  | { type: 'DAEMONS_CHANGED' }
  | { type: 'HALT' };

/** How the daemons stand, asked by the guards. The lifecycle provides the real answers. */
export const routerMachine = setup({
  types: { events: {} as RouterEvent },
  guards: {
    allServing: () => false,
    someDown: () => false,
  },
}).createMachine({
  id: 'router',
  initial: 'power',
  on: { HALT: '.halted' },
  states: {
    power: { on: { POWER_ON: 'loader' } },
    loader: { on: { UNPACKED: 'ramdisk' } },
    ramdisk: { on: { INIT_STARTED: 'daemons' } },
    daemons: { on: { DAEMONS_CHANGED: { target: 'running', guard: 'allServing' } } },
    running: { on: { DAEMONS_CHANGED: { target: 'degraded', guard: 'someDown' } } },
    degraded: { on: { DAEMONS_CHANGED: { target: 'running', guard: 'allServing' } } },
    halted: { type: 'final' },
  },
});
