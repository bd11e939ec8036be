/** What the public index, ts/index.ts, names: the one list of everything public. */
import { readFileSync } from 'node:fs'
import { OPTIMIZERS } from '../optim/optimizers.js'

/** Names of the values, not the types, that ts/index.ts exports from the files of one folder, such as `ts/ops`. */
export function valuesFrom(folder: string, index = readFileSync('ts/index.ts', 'utf8')): string[] {
  const lines = [...index.matchAll(/^export \{([^}]*)\} from '\.\/([^']+)'/gm)]
  return lines
    .filter(([, , file]) => `ts/${file}`.startsWith(`${folder}/`))
    .flatMap(([, names]) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
}

/** Rows of the table in README.md that list everything of a folder: the row, the names, and what follows them. */
const LISTS: [row: string, names: () => string[], more: string][] = [
  ['optimizers', () => Object.keys(OPTIMIZERS), ''],
  ['gradient transforms', () => valuesFrom('ts/optim/transforms'), ''],
  ['losses', () => valuesFrom('ts/loss'), '; each with weights of rows'],
  ['layers', () => valuesFrom('ts/nn').filter((name) => name !== 'BufferTensor'), ''],
  ['operations', () => valuesFrom('ts/ops').filter((name) => name !== 'gradients'), '; arithmetic broadcasts'],
  ['metrics', () => valuesFrom('ts/metrics'), ''],
]

/** README.md with the lists of its table as the public index has them. */
export function withLists(readme: string): string {
  return LISTS.reduce((text, [row, names, more]) => {
    const written = text.replace(new RegExp(`^(\\| \\[${row}\\]\\S* \\| ).*( \\|)$`, 'm'), `$1${names().join(', ')}${more}$2`)
    if (!written.includes(`| [${row}]`)) throw new Error(`README.md has no row '${row}' in its table`)
    return written
  }, readme)
}
