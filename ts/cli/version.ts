/** The package's version, from the package.json above dist/ (or above ts/cli/, when run from source). */
import { readFileSync } from 'node:fs'

/** For example `0.1.0`. */
export function version(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')).version
    } catch {
      // package.json is one folder further up.
    }
  }
  return 'unknown'
}
