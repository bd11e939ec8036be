/** For tests of workers: dies at some trials the first time, as its file of marks says. */
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
