import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { silentLogger } from '#core';
import { Alerts } from '../../apps/server/src/alerts/alerts.js';
import { certificateExpiring, Conditions } from '../../apps/server/src/alerts/conditions.js';
import { Certificates } from '../../apps/server/src/tls/certificates.js';
import { Authority } from '../support/certificates.js';
import { endProcesses, temporaryFolder, TEST_MS } from '../support/process.js';
import { until } from '../support/until.js';

afterAll(endProcesses);

const DAY_MS = 86_400_000;

it(
  'a certificate that is not renewed in time is told of, until it is',
  async () => {
    const folder = await temporaryFolder();
    const authority = await Authority.in(folder);
    const [old, renewed] = [await authority.sign('old'), await authority.sign('renewed', undefined, 30)];
    const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
    const place = async ({ cert, key }: typeof files) => {
      await copyFile(cert, files.cert);
      await copyFile(key, files.key);
    };
    await place(old);
    const certificates = await Certificates.open(files, silentLogger);
    try {
      let now = Date.now();
      const told: string[] = [];
      const alerts = new Alerts(silentLogger, ({ name, state, details }) =>
        told.push(`${name} ${state} ${String(details?.expires_at)}`),
      );
      const conditions = new Conditions(alerts, [certificateExpiring(certificates, () => now)]);
      const look = () => {
        for (let i = 0; i < 3; i++) conditions.look();
      };
      look();
      expect(told).toEqual([]);
      const end = new Date(certificates.validity.until).toISOString();
      now += 1.7 * DAY_MS;
      look();
      expect(told).toEqual([`certificate_expiring raised ${end}`]);
      await place(renewed);
      await until(() => certificates.validity.until > now + 20 * DAY_MS, TEST_MS / 2);
      look();
      expect(told).toEqual([`certificate_expiring raised ${end}`, `certificate_expiring cleared ${end}`]);
    } finally {
      certificates.stop();
    }
  },
  TEST_MS,
);
