import type { FastifyRequest } from 'fastify';

/** Does something for a caller; what it is given aborts when the caller goes away, and may be aborted sooner. */
export async function whileConnected<T>(
  { raw: { socket } }: FastifyRequest,
  work: (gone: AbortController) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  if (socket.destroyed) leave();
  socket.once('close', leave);
  try {
    return await work(gone);
  } finally {
    // A connection outlives many requests.
    socket.removeListener('close', leave);
  }
}
