/** A worker process for tests: worker.ts URL FOLDER [LOCK_SECONDS]. */
import { runWorker } from '../../../ts/tune/index.js'

await runWorker(process.argv[2], {
  folder: process.argv[3] ?? 'test/tune/queue',
  lockSeconds: Number(process.argv[4] ?? 2),
  wait: 30,
  onMessage: (text) => console.error(`worker ${process.pid}: ${text}`),
})
console.log('ready')
