/** The names in the public index, ts/index.ts: the one list of all public names. */
import { readFileSync } from 'node:fs'

/** Names of the values, not the types, that ts/index.ts exports from the files of one folder, such as `ts/ops`. */
export function valuesFrom(folder: string, index = readFileSync('ts/index.ts', 'utf8')): string[] {
  const lines = [...index.matchAll(/^export \{([^}]*)\} from '\.\/([^']+)'/gm)]
  return lines
    .filter(([, , file]) => `ts/${file}`.startsWith(`${folder}/`))
    .flatMap(([, names]) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
}
