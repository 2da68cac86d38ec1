import { instanceOf } from '../instance.js';
import type { Listener, WatchEvent } from './follower.js';
import type { LocalView } from './view.js';

/** Keeps the view what a server's is. */
export class ViewListener implements Listener {
  constructor(
    private readonly view: LocalView,
    private readonly onError: (error: Error) => void,
    readonly away: () => void | Promise<void>,
  ) {}

  hear(event: WatchEvent): void {
    switch (event.event) {
      case 'snapshot':
      case 'resync':
        this.view.replace(event.instances.map(instanceOf));
        this.view.tell(event.source === 'live' ? 'live' : 'stale');
        return;
      case 'upsert':
        this.view.upsert(instanceOf(event.instance));
        break;
      case 'remove':
        this.view.remove({ serviceName: event.service_name, serviceId: event.service_id });
        break;
      case 'stale':
      case 'live':
        this.view.tell(event.event);
        return;
      default:
        return;
    }
    this.view.tell(this.view.source ?? 'live');
  }

  lost(error: Error): void {
    if (this.view.source === 'live') this.view.tell('stale');
    this.onError(error);
  }
}
