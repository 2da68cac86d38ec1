export type { Channel, Farewell } from './channel.js';
export type { Cursor, OpenCursor } from './cursor.js';
export { Frame } from './frame.js';
export { EVENT_STREAM, SseChannel } from './sse-channel.js';
export { WebSocketChannel } from './web-socket-channel.js';
export { Reception } from './reception.js';
export { StreamQuota } from './stream-quota.js';
export { Streams } from './streams.js';
