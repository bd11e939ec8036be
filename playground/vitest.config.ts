import { defineConfig } from 'vitest/config'
import { DEFINED } from './vite.config.ts'

// One browser test at a time; the limit only stops a test that hangs.
export default defineConfig({
  define: DEFINED,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false },
})
