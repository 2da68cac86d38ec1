import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sessions } from '../auth/sessions.js';
import { isForeign } from '../http/origin.js';
import { Problem } from '../http/problem.js';
import { REQUEST_ID } from '../http/request-id.js';
import { endSpan } from '../http/request-spans.js';
import { upgradeOf } from '../http/upgrade.js';
import type { Tickets } from '../watch/tickets.js';
import type { Channel } from './channel.js';
import { EVENT_STREAM, SseChannel } from './sse-channel.js';
import type { StreamQuota } from './stream-quota.js';
import type { Streams } from './streams.js';
import { WebSocketChannel } from './web-socket-channel.js';

/** Lets readers in, whatever they are to read and by whichever transport. */
export class Reception {
  constructor(
    private readonly streams: Streams,
    private readonly tickets: Tickets,
    private readonly sessions: Sessions,
    private readonly quota: StreamQuota | undefined,
  ) {}

  /**
   * @returns Undefined when the request is answered already.
   * @throws Problem 400 for a bad handshake, 401 for a ticket that is not good any more, 403 for a page of somebody
   * else, 429 for who has too many already; BackendError when there is no room.
   */
  receive(request: FastifyRequest, reply: FastifyReply, ticket: string | undefined): Channel | undefined {
    this.streams.requireRoom();
    this.quota?.requireRoom(request);
    if (ticket !== undefined && !this.tickets.redeem(ticket)) {
      throw new Problem(401, 'TICKET_NOT_VALID', 'the ticket has been used, or is too old, or is not of this server');
    }
    const upgrade = upgradeOf(request);
    if (upgrade && ticket === undefined && isForeign(request)) {
      throw new Problem(403, 'ORIGIN_NOT_ALLOWED', 'a page of another origin needs a ticket for a WebSocket');
    }
    if (request.method === 'HEAD') {
      void reply.code(200).type(EVENT_STREAM).send();
      return undefined;
    }
    const headers = { [REQUEST_ID]: request.id };
    const channel = upgrade
      ? WebSocketChannel.accept(request.raw, upgrade, headers)
      : new SseChannel(reply.raw, headers);
    this.quota?.add(request, channel);
    channel.onClose(this.sessions.begin(request, () => this.streams.dismiss(channel, 'unauthorized')));
    reply.hijack();
    if (request.span) endSpan(request.span, upgrade ? 101 : 200);
    return channel;
  }
}
