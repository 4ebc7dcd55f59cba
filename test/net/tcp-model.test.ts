import { getNextTransitions, initialTransition, createMachine, transition } from 'xstate';
import { Random } from '../../emulator/base/index.js';
import type { TcpConnection } from '../../emulator/net/index.js';
import { connect, Doorman, listen, Pair, Pump, Transitions, type Weather } from './tcp-pair.js';

/** RFC 9293 figure 5 with its notes; an event is named after the state it leads to, for what leads there is the segment's business. */
const diagram = createMachine({
  id: 'tcp',
  initial: 'CLOSED',
  states: {
    CLOSED: { on: { LISTEN: 'LISTEN', SYN_SENT: 'SYN_SENT' } },
    // A passive open in SYN-RECEIVED is an entry of its own: the listener stays.
    LISTEN: { on: { SYN_RECEIVED: 'SYN_RECEIVED', CLOSED: 'CLOSED' } },
    SYN_SENT: { on: { SYN_RECEIVED: 'SYN_RECEIVED', ESTABLISHED: 'ESTABLISHED', CLOSED: 'CLOSED' } },
    SYN_RECEIVED: { on: { ESTABLISHED: 'ESTABLISHED', FIN_WAIT_1: 'FIN_WAIT_1', CLOSED: 'CLOSED' } },
    ESTABLISHED: { on: { FIN_WAIT_1: 'FIN_WAIT_1', CLOSE_WAIT: 'CLOSE_WAIT', CLOSED: 'CLOSED' } },
    FIN_WAIT_1: { on: { FIN_WAIT_2: 'FIN_WAIT_2', CLOSING: 'CLOSING', TIME_WAIT: 'TIME_WAIT', CLOSED: 'CLOSED' } },
    FIN_WAIT_2: { on: { TIME_WAIT: 'TIME_WAIT', CLOSED: 'CLOSED' } },
    CLOSE_WAIT: { on: { LAST_ACK: 'LAST_ACK', CLOSED: 'CLOSED' } },
    CLOSING: { on: { TIME_WAIT: 'TIME_WAIT', CLOSED: 'CLOSED' } },
    LAST_ACK: { on: { CLOSED: 'CLOSED' } },
    TIME_WAIT: { on: { CLOSED: 'CLOSED' } },
  },
});

/** Does the machine, in `from`, take the event `to` and end there? */
function allowed(from: string, to: string): boolean {
  const [initial] = initialTransition(diagram);
  const state = diagram.resolveState({ ...initial, value: from });
  if (!getNextTransitions(state).some(({ eventType }) => eventType === to)) return false;
  const [next] = transition(diagram, state, { type: to });
  return next.value === to;
}

/** Everything a user may do, at random moments, on both ends; connections come and go. */
function play(seed: number, weather: Weather): Transitions {
  const pair = new Pair(seed, weather);
  const random = new Random(seed);
  const seen = new Transitions();
  for (const { stack } of [pair.a, pair.b]) stack.tcp.observer = seen;
  const door = new Doorman(3000);
  let listener = listen(pair.b, 80, door, 2);
  // Here both sides have more to say than there is time for.
  listen(pair.b, 82, new Doorman(1 << 17), 2);
  const live: TcpConnection[] = [];
  for (let step = 0; step < 120; step++) {
    const pick = random.below(12);
    // The latest are those that still live.
    const one = live.at(-1 - random.below(3));
    const far = door.connections.at(-1 - random.below(3));
    if (pick < 4) live.push(connect(pair.a, '10.0.0.2', 80 + Math.max(0, pick - 1), new Pump(11, 22, pick === 3 ? 1 << 17 : random.below(5000), 3000)));
    else if (pick === 4) one?.shutdownWrite();
    else if (pick === 5) one?.close();
    else if (pick === 6) one?.abort();
    else if (pick === 7) far?.shutdownWrite();
    else if (pick === 8) far?.close();
    else if (pick === 9) far?.abort();
    else if (pick === 10) crossing(pair, random, live);
    else if (step % 5 === 0) {
      listener.close();
      listener = listen(pair.b, 80, door, 2);
    }
    pair.run(random.below(200) === 0 ? 70_000 : random.below(12));
  }
  pair.run(2_000_000);
  return seen;
}

/** Both ends open towards each other at once, from fixed ports. */
function crossing(pair: Pair, random: Random, live: TcpConnection[]): void {
  const [p, q] = [1000 + random.below(100), 2000 + random.below(100)];
  for (const [host, address, own, other] of [[pair.a, '10.0.0.2', p, q], [pair.b, '10.0.0.1', q, p]] as const) {
    const connection = host.stack.tcp.socket();
    if (connection.bind(0, own) < 0) continue;
    connection.handler = new Pump(11, 22, 500);
    connection.connect(address === '10.0.0.2' ? 0x0a000002 : 0x0a000001, other);
    live.push(connection);
  }
}

test("whatever both ends do, on good links and bad, every change of state is one of RFC 9293's diagram, and each of them happens", () => {
  const all = new Set<string>();
  const weathers: Weather[] = [{}, { loss: 0.1 }, { jitter: 4000, duplicate: 0.1 }, { loss: 0.05, reorder: 0.2, corrupt: 0.02 }];
  for (let seed = 1; seed <= 6; seed++) for (const name of play(seed, weathers[seed % weathers.length]).seen.keys()) all.add(name);
  expect([...all].filter((name) => !allowed(...(name.split(' ') as [string, string])))).toEqual([]);
  const never = ['LISTEN CLOSED', 'SYN_RECEIVED FIN_WAIT_1', 'FIN_WAIT_1 TIME_WAIT'];
  const possible = Object.entries(diagram.config.states ?? {}).flatMap(([from, { on }]) => Object.keys(on ?? {}).map((to) => `${from} ${to}`));
  expect(possible.filter((name) => !all.has(name) && !never.includes(name))).toEqual([]);
});

test('the model forbids something', () => {
  expect([allowed('ESTABLISHED', 'CLOSE_WAIT'), allowed('ESTABLISHED', 'TIME_WAIT'), allowed('TIME_WAIT', 'ESTABLISHED')]).toEqual([true, false, false]);
});
