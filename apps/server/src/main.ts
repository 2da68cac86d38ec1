import 'reflect-metadata';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

// Before the rest is loaded, which takes a second: as the first process of a container we would not hear a
// signal that is sent meanwhile. There is nothing yet that would have to be put in order.
const leave = () => process.exit(0);
for (const signal of SIGNALS) process.on(signal, leave);

const { run } = await import('./command.js');
await run(() => {
  for (const signal of SIGNALS) process.off(signal, leave);
});
