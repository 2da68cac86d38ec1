import { Counter, Histogram, type Registry } from 'prom-client';
import type { CallEvents } from './communicator/communicator.js';

/** Tells a registry of prom-client what a communicator does. As many series as there are services: ids are none. */
export function callMetrics(registry: Registry): CallEvents {
  const registers = [registry];
  const attempts = new Histogram({
    name: 'service_discovery_client_attempt_duration_seconds',
    help: 'Attempts at calls, by service and outcome',
    labelNames: ['service', 'outcome'],
    registers,
  });
  const retries = new Counter({
    name: 'service_discovery_client_retries_total',
    help: 'Attempts that were not the first of their call',
    labelNames: ['service'],
    registers,
  });
  const hedges = new Counter({
    name: 'service_discovery_client_hedges_total',
    help: 'Attempts beside one that kept its caller waiting',
    labelNames: ['service'],
    registers,
  });
  const breakers = new Counter({
    name: 'service_discovery_client_breaker_changes_total',
    help: 'Breakers that have opened or closed, of a service or one of its instances',
    labelNames: ['service', 'of', 'state'],
    registers,
  });
  return {
    attempt: ({ service, ok, late, durationMs, number, hedge }) => {
      attempts.observe({ service, outcome: ok ? 'success' : late ? 'late' : 'failure' }, durationMs / 1_000);
      if (hedge) hedges.inc({ service });
      else if (number > 1) retries.inc({ service });
    },
    breaker: ({ key, open }) => {
      const [service = key, instance] = key.split('/');
      breakers.inc({ service, of: instance === undefined ? 'service' : 'instance', state: open ? 'open' : 'closed' });
    },
  };
}
