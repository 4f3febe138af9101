// Loaded into a server that is measured (`node --expose-gc --import`): on SIGUSR2 it collects garbage and says what is
// left. Between the two collections, finalizers and what is freed in turns of the loop get their time.

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  setTimeout(() => {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(`collected ${JSON.stringify({ rss, heapUsed, external })}`);
  }, 200).unref();
});
