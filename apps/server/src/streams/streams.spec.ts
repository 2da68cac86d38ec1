import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '#core';
import { Frame, Streams, type Channel, type Cursor, type Farewell } from './index.js';
import { Stream } from './stream.js';

/** A reader that takes what it is told to take. */
class ScriptedChannel implements Channel {
  unsent = 0;
  taking = true;
  readonly heard: string[] = [];
  private readonly drained: (() => void)[] = [];
  private readonly closed: (() => void)[] = [];

  send(frames: readonly Frame[]): void {
    for (const { message } of frames) {
      this.heard.push(message.toString());
      if (!this.taking) this.unsent += message.length;
    }
  }

  beat(id: string): void {
    this.heard.push(`beat ${id}`);
  }

  end(farewell: Farewell): void {
    this.heard.push(farewell);
  }

  cut(): void {
    this.heard.push('cut');
    for (const closed of this.closed) closed();
  }

  onDrain(drained: () => void): void {
    this.drained.push(drained);
  }

  onClose(closed: () => void): void {
    this.closed.push(closed);
  }

  drain(): void {
    this.unsent = 0;
    for (const drained of this.drained) drained();
  }
}

/** Tells numbers, in frames of ten thousand bytes and a bit. */
class Numbers implements Cursor {
  told = 0;

  constructor(private readonly until = Infinity) {}

  next(): readonly Frame[] | undefined {
    if (this.told === this.until) return undefined;
    return [new Frame('number', JSON.stringify([++this.told, ' '.repeat(10_000)]))];
  }

  get id(): string | undefined {
    return this.told === this.until ? String(this.told) : undefined;
  }

  close(): void {}
}

describe('a stream', () => {
  it('sends no more than its reader takes, and goes on when it has', () => {
    const channel = new ScriptedChannel();
    const cursor = new Numbers();
    channel.taking = false;
    const stream = new Stream(channel, cursor);
    stream.pump();
    stream.pump();
    expect(cursor.told).toBe(7);
    channel.drain();
    stream.pump();
    expect(cursor.told).toBe(14);
  });

  it('gives a sign of life when there was none for so long, to a reader who has all', () => {
    const channel = new ScriptedChannel();
    const stream = new Stream(channel, new Numbers(0));
    const now = performance.now();
    stream.beat(now + 500, 1_000);
    expect(channel.heard).toEqual([]);
    stream.beat(now + 1_001, 1_000);
    stream.beat(now + 1_999, 1_000);
    stream.beat(now + 2_002, 1_000);
    expect(channel.heard).toEqual(['beat 0', 'beat 0']);
    const behind = new ScriptedChannel();
    new Stream(behind, new Numbers(1)).beat(now + 5_000, 1_000);
    expect(behind.heard).toEqual([]);
  });

  it('lets go a reader who takes nothing for twice as long, says so, and cuts', async () => {
    const channel = new ScriptedChannel();
    channel.taking = false;
    const stream = new Stream(channel, new Numbers());
    stream.pump();
    for (const at of [0, 1_999]) stream.beat(at, 1_000);
    // Whoever takes what there is has all the time again.
    channel.drain();
    stream.pump();
    for (const at of [2_100, 4_099]) stream.beat(at, 1_000);
    expect(channel.heard.slice(-1)).not.toEqual(['slow']);
    stream.beat(4_100, 1_000);
    expect(channel.heard.at(-1)).toBe('slow');
    const told = channel.heard.length;
    stream.pump();
    stream.beat(9_000, 1_000);
    expect(channel.heard).toHaveLength(told);
    await stream.leave('stopping', 1);
    expect(channel.heard.at(-1)).toBe('cut');
  }, 20_000);
});

describe('streams', () => {
  const options = { max: 3, heartbeatMs: 60_000, logger: silentLogger };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

  it('one that fails harms no other', async () => {
    const streams = new Streams(options);
    const [bad, good] = [new ScriptedChannel(), new ScriptedChannel()];
    streams.add(bad, () => ({
      next: () => {
        throw new Error('no');
      },
      id: undefined,
      close: () => undefined,
    }));
    streams.add(good, () => new Numbers(1));
    await turn();
    expect([bad.heard, good.heard.length, streams.size]).toEqual([['cut'], 1, 1]);
    await streams.stop();
  });

  it('are bounded in number, all told to go at the end, and cut when they do not', async () => {
    const streams = new Streams(options);
    const channels = [1, 2, 3].map(() => new ScriptedChannel());
    for (const channel of channels) streams.add(channel, () => new Numbers(0));
    expect(() => streams.requireRoom()).toThrow('3 streams are open already');
    await streams.stop();
    for (const { heard } of channels) expect(heard).toEqual(['stopping', 'cut']);
    const late = new ScriptedChannel();
    streams.requireRoom();
    streams.add(late, () => new Numbers(5));
    await turn();
    expect(late.heard).toEqual(['stopping']);
  });
});
