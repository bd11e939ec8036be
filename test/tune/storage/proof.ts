/** `make kill-proof`: 100 SIGKILLs each of a study in a journal and in SQLite, on this Node and on Node 22, of the library that is built. `proof.ts b` does the second alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { killAgain } from './kill.js'

const KILLS = 100
const NODE_22 = 'node_modules/node/bin/node'
const folder = mkdtempSync(path.join(tmpdir(), 'gradus-kill-'))
let isRight = true
const sum = { kills: 0, lost: 0, doubled: 0 }
for (const [file, node] of [
  ['a.log', process.execPath],
  ['b.sqlite', process.execPath],
  ['c.sqlite', NODE_22],
  ['d.log', NODE_22],
] as const) {
  if (process.argv[2] !== undefined && !file.startsWith(process.argv[2])) continue
  const outcome = await killAgain(path.join(folder, file), 8 * KILLS, KILLS, { node, library: path.resolve('dist/tune.js') })
  console.log(file, node, outcome)
  for (const what of ['kills', 'lost', 'doubled'] as const) sum[what] += outcome[what]
  isRight &&= outcome.kills > KILLS / 2 && outcome.lost === 0 && outcome.doubled === 0 && outcome.isSame
}
rmSync(folder, { recursive: true, force: true })
console.log(`${sum.kills} kills: ${sum.lost} lost, ${sum.doubled} doubled`)
console.log(isRight ? 'and each study ended as one that nobody killed' : 'WRONG')
process.exit(isRight ? 0 : 1)
