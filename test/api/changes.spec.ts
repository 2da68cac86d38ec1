import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  fresh,
  ids,
  instancePath,
  register,
  registerAll,
  report,
  type Instance,
  type Service,
} from '../support/instances.js';
import { expectBadInput, expectProblem } from '../support/problems.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

async function read(path: string): Promise<Instance> {
  return (await server.http.get<Instance>(path)).data;
}

describe('PATCH', () => {
  it('changes tags, weight and metadata, each for itself', async () => {
    const name = fresh();
    const path = instancePath(name, 'a');
    await register(server.http, { service_name: name, id: 'a', tags: ['x'], weight: 5, metadata: { a: '1', b: '2' } });
    expect((await server.http.patch<Instance>(path, { tags: ['y', 'z'] })).data).toMatchObject({
      tags: ['y', 'z'],
      weight: 5,
    });
    expect((await server.http.patch<Instance>(path, { weight: 0 })).data).toMatchObject({
      tags: ['y', 'z'],
      weight: 0,
    });
    expect((await server.http.patch<Instance>(path, { metadata: { a: null, c: 3 } })).data.metadata).toEqual({
      b: '2',
      c: '3',
    });
    const cleared = await server.http.patch<Instance>(path, { tags: null, weight: null });
    expect(cleared.data).toMatchObject({ tags: [], weight: 100 });
    expect(await read(path)).toEqual(cleared.data);
  });

  it('of nothing is no change', async () => {
    const name = fresh();
    const { version } = await register(server.http, { service_name: name, id: 'a' });
    const answer = await server.http.patch<Instance>(instancePath(name, 'a'), { unknown: 1 });
    expect(answer.data.version).toBe(version);
  });

  it('is found by its new tags at once, and no more by the old', async () => {
    const name = fresh();
    const [before, after] = [fresh('tag'), fresh('tag')];
    await register(server.http, { service_name: name, id: 'a', tags: [before] });
    await server.http.patch(instancePath(name, 'a'), { tags: [after] });
    expect((await server.http.get<Service[]>(`/api/v1/services?tags=${before}`)).data).toEqual([]);
    expect((await server.http.get<Service[]>(`/api/v1/services?tags=${after}`)).data).toHaveLength(1);
  });

  it.each([
    [{ tags: 'x' }, 'tags'],
    [{ tags: [''] }, 'tags.0'],
    [{ tags: Array.from({ length: 61 }, (_, i) => `t${i}`) }, 'tags'],
    [{ weight: -1 }, 'weight'],
    [{ metadata: { a: [1] } }, 'metadata.a'],
  ])('is refused: %j', async (body, place) => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    expectBadInput(await server.http.patch(instancePath(name, 'a'), body), place);
  });

  it('needs a body, and an instance', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    expectProblem(await server.http.patch(instancePath(name, 'a')), 400);
    expectProblem(await server.http.patch(instancePath(name, 'b'), {}), 404, 'INSTANCE_NOT_FOUND');
  });
});

describe('maintenance', () => {
  it('takes out of rotation with a reason, and puts back as it was', async () => {
    const name = fresh();
    const path = instancePath(name, 'a');
    await register(server.http, { service_name: name, id: 'a' });
    await report(server.http, name, 'a', 'warning');
    const answer = await server.http.put<Instance>(`${path}/maintenance?reason=new%20disk`);
    expect(answer.data).toMatchObject({ status: 'maintenance', maintenance_reason: 'new disk' });
    const { data } = await server.http.get<Service>(`/api/v1/services/${name}`);
    expect(data).toMatchObject({ total_instances: 1, healthy_instances: 0, status: 'critical' });
    const back = await server.http.delete<Instance>(`${path}/maintenance`);
    expect(back.data.status).toBe('warning');
    expect(back.data).not.toHaveProperty('maintenance_reason');
  });

  it('needs no reason, and may be said twice', async () => {
    const name = fresh();
    const path = instancePath(name, 'a');
    await register(server.http, { service_name: name, id: 'a' });
    expect((await server.http.put<Instance>(`${path}/maintenance`)).data.maintenance_reason).toBe('');
    expect((await server.http.put<Instance>(`${path}/maintenance`, {})).status).toBe(200);
    expect((await server.http.delete(`${path}/maintenance`)).status).toBe(200);
    expect((await server.http.delete(`${path}/maintenance`)).status).toBe(200);
    expectProblem(await server.http.put(`${instancePath(name, 'b')}/maintenance`), 404);
    expectBadInput(await server.http.put(`${path}/maintenance?raison=x`), 'raison');
    expectBadInput(await server.http.put(`${path}/maintenance?reason=${'x'.repeat(513)}`), 'reason');
  });

  it('may be how an instance is registered', async () => {
    const written = await register(server.http, { service_name: fresh(), status: 'maintenance' });
    expect(written.status).toBe('maintenance');
  });
});

describe('deregistration', () => {
  it('by its key: gone for every reader when it is answered; a second time is 404', async () => {
    const name = fresh();
    await registerAll(server.http, name, { a: {}, b: {} });
    const answer = await server.http.delete(instancePath(name, 'a'));
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.revision).not.toBe('');
    expectProblem(await server.http.get(instancePath(name, 'a')), 404, 'INSTANCE_NOT_FOUND');
    expect(ids((await server.http.get<Instance[]>(`/api/v1/services/${name}/instances`)).data)).toEqual(['b']);
    expectProblem(await server.http.delete(instancePath(name, 'a')), 404, 'INSTANCE_NOT_FOUND');
  });

  it('of the last one ends the service', async () => {
    const name = fresh();
    await register(server.http, { service_name: name, id: 'a' });
    await server.http.delete(instancePath(name, 'a'));
    expectProblem(await server.http.get(`/api/v1/services/${name}`), 404, 'SERVICE_NOT_FOUND');
    expectProblem(await server.http.get(`/api/v1/services/${name}/instances`), 404, 'SERVICE_NOT_FOUND');
  });

  it('by its id alone', async () => {
    const id = fresh('only');
    await register(server.http, { service_name: fresh(), id });
    expect((await server.http.delete(`/api/v1/deregister/${id}`)).status).toBe(204);
    expectProblem(await server.http.delete(`/api/v1/deregister/${id}`), 404, 'INSTANCE_NOT_FOUND');
  });

  it('by an id that several services have is 409 with the candidates; ?service= says which', async () => {
    const id = fresh('shared');
    const [one, two] = [fresh(), fresh()];
    for (const service_name of [one, two]) await register(server.http, { service_name, id });
    const { candidates } = expectProblem(await server.http.delete(`/api/v1/deregister/${id}`), 409, 'AMBIGUOUS_ID');
    expect(candidates).toEqual([one, two].map((service_name) => ({ service_name, service_id: id })));
    expect((await server.http.delete(`/api/v1/deregister/${id}?service=${two.toUpperCase()}`)).status).toBe(204);
    expectProblem(await server.http.delete(`/api/v1/deregister/${id}?service=${two}`), 404);
    expect((await server.http.delete(`/api/v1/deregister/${id}`)).status).toBe(204);
  });
});
