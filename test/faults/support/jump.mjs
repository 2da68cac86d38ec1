// Preloaded into a server: its host's clock is set forward an hour by SIGUSR2, and back two by the next one.
import process from 'node:process';

const HOUR_MS = 3_600_000;
const SystemDate = Date;
let ahead = 0;

process.on('SIGUSR2', () => (ahead = ahead > 0 ? -HOUR_MS : HOUR_MS));

globalThis.Date = class extends SystemDate {
  constructor(...args) {
    super(...(args.length === 0 ? [Date.now()] : args));
  }

  static now() {
    return SystemDate.now() + ahead;
  }
};
