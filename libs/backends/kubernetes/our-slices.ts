import { SERVICE_OF_SLICE } from './names.js';
import { nameOf, type EndpointSlice } from './objects.js';
import { isOurSlice } from './projection.js';

/** The EndpointSlices that are ours, by Service: of thousands, to look through all for each takes seconds. */
export class OurSlices {
  private readonly services = new Map<string, Map<string, EndpointSlice>>();

  /** @param manager The value of our managed-by labels. */
  constructor(private readonly manager: string) {}

  get serviceNames(): Iterable<string> {
    return this.services.keys();
  }

  of(serviceName: string): readonly EndpointSlice[] {
    return [...(this.services.get(serviceName)?.values() ?? [])];
  }

  changed(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    if (before) this.remove(before);
    if (after && isOurSlice(after, this.manager)) this.add(after);
  }

  private add(slice: EndpointSlice): void {
    const service = serviceOf(slice);
    const known = this.services.get(service);
    if (known) known.set(nameOf(slice), slice);
    else this.services.set(service, new Map([[nameOf(slice), slice]]));
  }

  private remove(slice: EndpointSlice): void {
    const service = serviceOf(slice);
    const known = this.services.get(service);
    known?.delete(nameOf(slice));
    if (known?.size === 0) this.services.delete(service);
  }
}

function serviceOf({ metadata }: EndpointSlice): string {
  return metadata.labels?.[SERVICE_OF_SLICE] ?? '';
}
