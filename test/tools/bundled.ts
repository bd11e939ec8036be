/** Sources in one file, for processes that a test starts: through tsx each of them would read two hundred files, which takes it a second. */
import path from 'node:path'
import { buildSync } from 'esbuild'

/** Path of a file with an entry and all of ts/ that it imports. @param name of the file, which no other test may use */
export function bundled(name: string, entry: string): string {
  const outfile = path.resolve('.cache/bundled', `${name}.mjs`)
  const form = { bundle: true, platform: 'node', format: 'esm', target: 'es2022', packages: 'external' } as const
  buildSync({ ...form, entryPoints: [entry], outfile, logLevel: 'error' })
  return outfile
}
