import type { Farewell } from './channel.js';

/** One event of a stream, in the bytes of every transport: made once, whoever gets it. */
export class Frame {
  /** An event of an event stream (HTML, section 9.2). */
  readonly eventStream: Buffer;
  /** The same object as a message by itself. */
  readonly message: Buffer;

  /**
   * @param json An object; it names the event and its revision too.
   * @param id Where a reader stands who has it; absent: where it stood before; empty: nowhere.
   */
  constructor(event: string, json: string, id?: string) {
    const head = Buffer.from(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: `);
    this.eventStream = Buffer.concat([head, Buffer.from(json), END]);
    this.message = this.eventStream.subarray(head.length, this.eventStream.length - END.length);
  }
}

/** The last event, which is no place to come back to; who may see something else now is to begin anew. */
export function goodbye(reason: Farewell): Frame {
  return new Frame('goodbye', JSON.stringify({ event: 'goodbye', reason }), reason === 'unauthorized' ? '' : undefined);
}

const END = Buffer.from('\n\n');
