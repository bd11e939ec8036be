/** `make kill-proof`: 200 SIGKILLs of a study in a journal, and 100 in SQLite on this Node and on Node 22, of the library that is built. `proof.ts b` does the second alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { killAgain } from './kill.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-kill-'))
let isRight = true
for (const [file, kills, node] of [
  ['a.log', 200, process.execPath],
  ['b.sqlite', 100, process.execPath],
  ['c.sqlite', 100, 'node_modules/node/bin/node'],
] as const) {
  if (process.argv[2] !== undefined && !file.startsWith(process.argv[2])) continue
  const outcome = await killAgain(path.join(folder, file), 8 * kills, kills, { node, library: path.resolve('dist/tune.js') })
  console.log(file, node, outcome)
  isRight &&= outcome.kills > kills / 2 && outcome.lost === 0 && outcome.doubled === 0 && outcome.isSame
}
rmSync(folder, { recursive: true, force: true })
console.log(isRight ? 'no finished trial lost or doubled' : 'WRONG')
process.exit(isRight ? 0 : 1)
