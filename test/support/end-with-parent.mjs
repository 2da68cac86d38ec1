// For jest and its workers: they end as soon as the process does that started them, and with them the
// servers of their suites.
if (process.channel) {
  process.on('disconnect', () => process.exit(1));
  // Only a worker waits for its parent's messages.
  if (process.env.JEST_WORKER_ID === undefined) process.channel.unref();
}
