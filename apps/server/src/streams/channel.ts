import type { Frame } from './frame.js';

/**
 * Why a stream ends though its reader would stay: this server stops, the reader is too slow, or its credential is not
 * good any more, or lets it see something else.
 */
export type Farewell = 'stopping' | 'slow' | 'unauthorized';

/** The way to one reader. Whoever opens it is told of its end once, by `onClose`, however that comes about. */
export interface Channel {
  /** Bytes that the reader has not taken. */
  readonly unsent: number;
  send(frames: readonly Frame[]): void;
  /** A sign of life, to a reader who stands at this place. */
  beat(id: string): void;
  /** Tells why, behind what is unsent, and ends. */
  end(farewell: Farewell): void;
  /** Ends at once. */
  cut(): void;
  onDrain(drained: () => void): void;
  onClose(closed: () => void): void;
}
