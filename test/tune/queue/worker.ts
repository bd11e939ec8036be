/** A worker process for tests: worker.ts URL. */
import { runWorker } from '../../../ts/tune/index.js'

await runWorker(process.argv[2], { lockSeconds: 2, concurrency: 1 })
console.log('ready')
