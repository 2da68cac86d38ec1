/** One event of a stream, with what its fields are. */
export interface StreamEvent {
  readonly id?: string;
  readonly data?: string;
}

/**
 * Server-sent events as the bytes come; an event that is cut off is none. A comment is an event without anything:
 * a sign of life.
 */
export async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  /** Up to here there is no end of an event. */
  let seen = 0;
  // Not every browser can iterate over a stream.
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += decoder.decode(part.value, { stream: true });
    for (let end = text.indexOf('\n\n', seen); end >= 0; end = text.indexOf('\n\n')) {
      yield parsed(text.slice(0, end));
      text = text.slice(end + 2);
    }
    seen = Math.max(0, text.length - 1);
  }
}

function parsed(text: string): StreamEvent {
  const event: { id?: string; data?: string } = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (name !== 'id' && name !== 'data') continue;
    const value = line.slice(colon + 1).replace(/^ /, '');
    event[name] = name === 'data' && event.data !== undefined ? `${event.data}\n${value}` : value;
  }
  return event;
}
