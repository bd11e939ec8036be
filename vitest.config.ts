import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

// After a change of crate/, also one that a rebase brought, tests fail for reasons that no message names.
if (process.platform !== 'win32' && spawnSync('ts/build/wasm.sh', ['--is-built']).status !== 0)
  console.warn('ts/backend/wasm/generated was built from other sources of crate/: run make wasm')

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
