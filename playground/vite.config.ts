import { defineConfig } from 'vite'

// Relative addresses, so that the folder works wherever a host puts it; JSX is preact's.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  server: { fs: { allow: ['..'] } },
})
