import { assign, setup } from 'xstate';

/** What the event log says about one daemon, in the daemon machine's words. */
export type DaemonEvent =
  | { type: 'STARTED'; pid: number }
  | { type: 'SERVING' }
  | { type: 'FROZEN'; state: number }
  | { type: 'FAULT'; signal: number }
  | { type: 'THAWED'; state: number }
  | { type: 'DIED' }
  | { type: 'ENDED' }
  | { type: 'HELD' }
  | { type: 'GAVE_UP' }
  | { type: 'SETTLED' };

export interface DaemonContext {
  name: string;
  pid: number;
  /** The state of its own diagram it serves in: 0 is program start, n is checkpoint n. */
  state: number;
  signal: number;
  starts: number;
  faults: number;
  thaws: number;
}

/**
 * A daemon's life as seen from outside. Everything is named, so that `config` is plain JSON; delays are not XState's
 * `after` (a stored snapshot forgets those) but the action `armSettle`, which the lifecycle turns into a deadline of the
 * machine's event queue, and the event SETTLED it brings back.
 */
export const daemonMachine = setup({
  types: { context: {} as DaemonContext, events: {} as DaemonEvent, input: {} as { name: string } },
  actions: {
    noteStart: assign(({ event }) => (event.type === 'STARTED' ? { pid: event.pid } : {})),
    countStart: assign(({ context }) => ({ starts: context.starts + 1, state: 0 })),
    noteState: assign(({ event }) => (event.type === 'FROZEN' || event.type === 'THAWED' ? { state: event.state } : {})),
    noteFault: assign(({ context, event }) => (event.type === 'FAULT' ? { signal: event.signal, faults: context.faults + 1 } : {})),
    countThaw: assign(({ context }) => ({ thaws: context.thaws + 1 })),
    armSettle: () => undefined,
  },
  guards: {},
}).createMachine({
  id: 'daemon',
  context: ({ input }) => ({ name: input.name, pid: 0, state: 0, signal: 0, starts: 0, faults: 0, thaws: 0 }),
  initial: 'starting',
  on: {
    STARTED: { target: '.starting', actions: ['noteStart', 'countStart'] },
    GAVE_UP: '.failed',
    ENDED: '.ended',
  },
  states: {
    starting: {
      entry: 'armSettle',
      on: {
        SERVING: 'serving',
        FROZEN: { target: 'serving', actions: 'noteState' },
        SETTLED: 'serving',
        FAULT: { target: 'faulted', actions: 'noteFault' },
        DIED: 'faulted',
      },
    },
    serving: {
      on: {
        FROZEN: { actions: 'noteState' },
        FAULT: { target: 'faulted', actions: 'noteFault' },
        DIED: 'faulted',
      },
    },
    faulted: {
      on: {
        THAWED: { target: 'thawing', actions: ['noteState', 'countThaw'] },
        HELD: 'quarantined',
      },
    },
    thawing: {
      entry: 'armSettle',
      on: {
        SERVING: 'serving',
        FROZEN: { target: 'serving', actions: 'noteState' },
        SETTLED: 'serving',
        FAULT: { target: 'faulted', actions: 'noteFault' },
        DIED: 'faulted',
      },
    },
    quarantined: {},
    failed: {},
    ended: { on: { GAVE_UP: {} } },
  },
});
