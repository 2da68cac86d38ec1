// For jest and its workers: they end as soon as the process does that started them, and with them the
// servers of their suites.
if (process.channel) {
  process.on('disconnect', () => process.exit(1));
  // This listener is no reason to stay, unlike one for messages: `unref` would be for both.
  process.channel.unrefCounted();
}
