import { expect, it } from '@jest/globals';
import { MANAGER_OF_SLICE, SERVICE_OF_SLICE } from './names.js';
import type { EndpointSlice } from './objects.js';
import { OurSlices } from './our-slices.js';

function slice(name: string, service: string, manager = 'us'): EndpointSlice {
  const labels = { [SERVICE_OF_SLICE]: service, [MANAGER_OF_SLICE]: manager };
  return { metadata: { name, namespace: 'n', resourceVersion: '1', labels }, addressType: 'IPv4' };
}

it('knows the slices of each service that are ours, through all that becomes of them', () => {
  const slices = new OurSlices('us');
  const names = (service: string) => slices.of(service).map(({ metadata }) => metadata.name);
  const [one, two, other, theirs] = [slice('1', 'a'), slice('2', 'a'), slice('3', 'b'), slice('4', 'a', 'them')];
  for (const each of [one, two, other, theirs]) slices.changed(undefined, each);
  expect([names('a'), names('b'), names('c')]).toEqual([['1', '2'], ['3'], []]);
  slices.changed(one, slice('1', 'a', 'them'));
  slices.changed(two, slice('2', 'b'));
  expect([names('a'), names('b')]).toEqual([[], ['3', '2']]);
  slices.changed(theirs, slice('4', 'a'));
  slices.changed(other, undefined);
  expect([...slices.serviceNames].sort()).toEqual(['a', 'b']);
});
