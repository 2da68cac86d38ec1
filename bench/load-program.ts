import { load, type LoadOptions } from './load.js';
import { requestOf } from './scenarios.js';

// A program: puts load on a server as it is told to.

/** As options, but the requests by the name of their scenario: a function cannot be sent. */
export interface LoadOrder extends Omit<LoadOptions, 'request'> {
  readonly scenario: string;
}

process.on('disconnect', () => process.exit());
process.on('message', (order: LoadOrder) => {
  load({ ...order, request: requestOf(order.scenario) }).then(
    (result) => process.send!(result),
    (error: unknown) => {
      console.error(order, error);
      process.exit(1);
    },
  );
});
