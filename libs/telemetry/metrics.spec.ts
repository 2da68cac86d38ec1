import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';
import { Counts, Distribution, Distributions, Metrics } from './index.js';

describe('Metrics', () => {
  it('asks at every scrape', async () => {
    let services = 2;
    const metrics = new Metrics();
    metrics.gauge('services', 'How many.', () => services);
    expect((await metrics.exposition()).body).toContain(
      '# HELP services How many.\n# TYPE services gauge\nservices 2\n',
    );
    services = 5;
    expect((await metrics.exposition()).body).toContain('\nservices 5\n');
  });

  it('labels what is counted, and escapes what others have chosen', async () => {
    const counts = new Counts('cause');
    for (const key of ['a', 'b "c"', 'a']) counts.add(key);
    const metrics = new Metrics();
    metrics.counters('events_total', 'Events.', () => counts);
    const { body } = await metrics.exposition();
    expect(body).toContain(
      '# TYPE events_total counter\nevents_total{cause="a"} 2\nevents_total{cause="b \\"c\\""} 1\n',
    );
  });

  it('shows a distribution as a histogram: each bucket with all that is below', async () => {
    const distribution = new Distribution([1, 2]);
    for (const value of [0.5, 1, 1.5, 9]) distribution.record(value);
    const metrics = new Metrics();
    metrics.histograms('took_seconds', 'Took.', () => [[{ type: 'x' }, distribution]]);
    expect((await metrics.exposition()).body).toContain(
      [
        '# TYPE took_seconds histogram',
        'took_seconds_bucket{type="x",le="1"} 2',
        'took_seconds_bucket{type="x",le="2"} 3',
        'took_seconds_bucket{type="x",le="+Inf"} 4',
        'took_seconds_sum{type="x"} 12',
        'took_seconds_count{type="x"} 4\n',
      ].join('\n'),
    );
  });

  it('tells of the process, in a text format with its content type', async () => {
    const { contentType, body } = await new Metrics().exposition();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(/^process_cpu_seconds_total /m);
  });

  it('keeps to itself: two do not meet, and the global registry stays empty', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.counter('mine_total', 'Mine.', () => 1);
    expect((await other.exposition()).body).not.toContain('mine_total');
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('lets others have their turn while it is written', async () => {
    const metrics = new Metrics();
    let turns = 0;
    for (let i = 0; i < 20; i++)
      metrics.gauge(`slow_${i}`, 'Slow.', () => {
        const end = performance.now() + 5;
        while (performance.now() < end);
        return turns;
      });
    const scraped = new AbortController();
    const scrape = metrics.exposition().finally(() => scraped.abort());
    while (!scraped.signal.aborted) {
      await turn();
      turns++;
    }
    expect((await scrape).body).toMatch(/slow_19 [1-9]/);
  });
});

describe('Distributions', () => {
  it('keeps one for each', () => {
    const distributions = new Distributions([1], 'key');
    distributions.of('a').record(1);
    distributions.of('a').record(3);
    distributions.of('b').record(2);
    expect(Array.from(distributions, ([{ key }, each]) => [key, each.totals().sum])).toEqual([
      ['a', 4],
      ['b', 2],
    ]);
  });
});
