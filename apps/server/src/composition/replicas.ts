import type { Provider } from '@nestjs/common';
import { Catalog } from '#catalog';
import type { Logger } from '#core';
import { HealthMonitor } from '#health';
import { Credentials } from '../replica/credentials.js';
import { OwnerChecks } from '../replica/owner-checks.js';
import { PeerClient } from '../replica/peer-client.js';
import { Peers } from '../replica/peers.js';
import { Shares } from '../replica/shares.js';
import { Sightings } from '../replica/sightings.js';
import type { Settings } from '../settings/index.js';
import { Certificates } from '../tls/certificates.js';
import { LOGGER, SETTINGS } from '../tokens.js';

/** The other replicas, and what is shared out among them. */
export const replicas: Provider[] = [
  {
    provide: PeerClient,
    inject: [Certificates],
    useFactory: (certificates: Certificates | undefined) => new PeerClient(certificates),
  },
  {
    provide: Credentials,
    inject: [SETTINGS],
    useFactory: ({ service }: Settings) => new Credentials(service.replicaSecret),
  },
  {
    provide: Peers,
    inject: [Catalog, PeerClient, SETTINGS, LOGGER],
    useFactory: (catalog: Catalog, client: PeerClient, { service }: Settings, logger: Logger) =>
      new Peers(catalog, client, service, logger),
  },
  {
    provide: Shares,
    inject: [HealthMonitor, Catalog, Peers],
    useFactory: (...given: ConstructorParameters<typeof Shares>) => new Shares(...given),
  },
  {
    provide: Sightings,
    inject: [Catalog, HealthMonitor, Shares, Peers, PeerClient, Credentials],
    useFactory: (...given: ConstructorParameters<typeof Sightings>) => new Sightings(...given),
  },
  {
    provide: OwnerChecks,
    inject: [HealthMonitor, Shares, PeerClient, Credentials],
    useFactory: (...given: ConstructorParameters<typeof OwnerChecks>) => new OwnerChecks(...given),
  },
];
