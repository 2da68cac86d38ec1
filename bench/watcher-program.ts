import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { load, type LoadResult } from './load.js';
import { registration } from './seed.js';
import { quantile } from './statistics.js';

// A program: watches one service over many connections, changes it, and says when everybody has heard.

export type Order =
  | { readonly open: number; readonly url: string }
  /** Changes, each when all have heard of the one before. */
  | { readonly changes: number }
  /** Changes of so many instances in turn, evenly, whoever has heard what. */
  | { readonly rate: number; readonly instances: number; readonly ms: number };

/** Milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Heard {
  readonly events: number;
  /** From the acknowledgement of a change to the last watcher; of changes at a rate, from their sending to one watcher. */
  readonly late: Spread;
  /** Of the changes that were sent at a rate. */
  readonly acknowledged?: LoadResult;
}

const PATH = '/api/v1/watch/services/service-0';
/** Opened at the same time: more would not fit into the queue of those that are not yet accepted. */
const OPENING = 100;
const END_OF_EVENT = '\n\n';

process.on('disconnect', () => process.exit());

let url = '';
let hear: (text: string) => void = () => undefined;

/** One who watches: hands on each event, whole. */
async function watch(): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding('latin1');
  let unread = '';
  const begun = new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error('a stream has ended'))).on('error', reject);
    let seen = 0;
    socket.on('data', (text: string) => {
      const parts = (unread + text).split(END_OF_EVENT);
      unread = parts.pop()!;
      for (const part of parts) {
        // The first has the time to come back after, the next is the snapshot.
        if (++seen === 2) resolve();
        if (seen > 2) hear(part);
      }
    });
  });
  await once(socket, 'connect');
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await begun;
  return socket;
}

const sockets: Socket[] = [];

async function open(count: number): Promise<object> {
  while (sockets.length < count) {
    const size = Math.min(OPENING, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: size }, watch))));
  }
  return { open: sockets.length };
}

async function change(metadata: object): Promise<void> {
  const response = await fetch(`${url}/api/v1/services`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(registration(0, 1, { metadata })),
  });
  if (response.status !== 201) throw new Error(`a change was refused: ${response.status}`);
  await response.text();
}

async function inTurn(changes: number): Promise<Heard> {
  const late: number[] = [];
  let events = 0;
  for (let n = 0; n < changes; n++) {
    let left = sockets.length;
    const all = new Promise<number>((resolve) => {
      hear = () => {
        events++;
        if (--left === 0) resolve(performance.now());
      };
    });
    await change({ n: String(Date.now() + n) });
    const acknowledged = performance.now();
    late.push(Math.max(0, (await all) - acknowledged));
  }
  return { events, late: spreadOf(late) };
}

async function atRate(rate: number, instances: number, ms: number): Promise<Heard> {
  const late: number[] = [];
  let events = 0;
  hear = (text) => {
    const sent = Number(/"sent":"([\d.]+)"/.exec(text)?.[1]);
    // One watcher of all, in turn: each of a million would cost more than what is measured.
    if (events++ % sockets.length === 0) late.push(performance.now() - sent);
  };
  const acknowledged = await load({
    ...{ url, connections: 16, ms, rate, from: 0 },
    request: (n) => {
      const metadata = { sent: performance.now().toFixed(3) };
      return { method: 'POST', path: '/api/v1/services', body: registration(n % instances, 1, { metadata }) };
    },
  });
  return { events, late: spreadOf(late), acknowledged };
}

function spreadOf(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

async function obey(order: Order): Promise<object> {
  if ('open' in order) {
    url = order.url;
    return open(order.open);
  }
  return 'changes' in order ? inTurn(order.changes) : atRate(order.rate, order.instances, order.ms);
}

process.on('message', (order: Order) => void obey(order).then((result) => process.send!(result)));
