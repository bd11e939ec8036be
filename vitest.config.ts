import { defineConfig } from 'vitest/config'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: process.env.GRADUS_CANARIES ? ['test/tools/canaries.ts'] : [],
    // Far above what any test takes, so that none fails because the machine is busy; it only stops a test that hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Two cores are what CI has; a worker each.
    maxWorkers: 2,
  },
})
