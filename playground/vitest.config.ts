import { defineConfig } from 'vitest/config'

// One browser test at a time; the limit only stops a test that hangs.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false },
})
