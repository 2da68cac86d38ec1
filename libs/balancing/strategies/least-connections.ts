import type { ServiceInstance, StrategyModule } from '#core';

/**
 * Fewest in flight: the connections that the instance reports itself, which covers other callers, and
 * our picks that have not reported. Equals draw lots, else the first would take every burst.
 */
export const leastConnections: StrategyModule = {
  name: 'least_connections',
  summary: 'Whoever has the fewest connections: those it reports, and picks that are still in flight.',
  create({ stats, random }) {
    const connectionsOf = (instance: ServiceInstance) =>
      (instance.vitals.activeConnections ?? 0) + stats(instance).inFlight;
    return {
      pick(candidates) {
        let fewest = Infinity;
        let equals = 0;
        let winner: ServiceInstance | undefined;
        for (const candidate of candidates) {
          const connections = connectionsOf(candidate);
          if (connections > fewest) continue;
          equals = connections < fewest ? 1 : equals + 1;
          fewest = connections;
          // The k-th of equals takes over with probability 1/k: each is as likely in the end.
          if (equals === 1 || random() * equals < 1) winner = candidate;
        }
        return winner && { instance: winner, reason: `fewest connections in flight: ${fewest}` };
      },
    };
  },
};
