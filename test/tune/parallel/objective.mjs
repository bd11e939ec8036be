/** An objective for tests of workers: its process dies at the first run of some trials, which a file records. */
import { existsSync, writeFileSync } from 'node:fs'

export default async function objective({ x, marks }, trial) {
  if (marks && trial.number % 5 === 3 && !existsSync(`${marks}/${trial.number}`)) {
    writeFileSync(`${marks}/${trial.number}`, '')
    process.exit(3)
  }
  await trial.report(x + 1, 0)
  if (trial.shouldPrune()) trial.prune()
  trial.setAttribute('thread', 'another')
  return x
}

export function make({ add }) {
  return ({ x }) => x + add
}

export const wrong = 5
