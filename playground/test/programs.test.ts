/** Programs that the page copies, run in Node beside what the page computes: the same numbers to all digits. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { descentCode } from '../src/descent/code'
import { program } from '../src/descent/formula'
import { surfaceOf } from '../src/descent/functions'
import { type RaceInput, race } from '../src/descent/race'
import { type DescentState, descent } from '../src/descent/state'
import { LESSONS } from '../src/lessons'
import { methodOf } from '../src/methods'

const folder = fileURLToPath(new URL('../.copied', import.meta.url))
mkdirSync(folder, { recursive: true })

/** The numbers of each line that a program prints. */
function printed(text: string): number[][] {
  writeFileSync(`${folder}/node.mjs`, text)
  const output = execFileSync(process.execPath, [`${folder}/node.mjs`], { encoding: 'utf8' })
  return output
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1).map(Number))
}

const races: [string, Partial<DescentState>][] = [
  ['the first race', {}],
  ...LESSONS.flatMap(({ title, tab, state }) => (tab === 'descent' ? [[title, state] as [string, Partial<DescentState>]] : [])),
  [
    'a formula with noise',
    {
      ...{
        surface: 'own',
        formula: '4*(x-1)^2 + pow(y, 2) - -2^2 + ln(e)*pi + sin(0*x) + tan(y/9) + k/2*max(x, -y)',
        noise: 0.2,
        steps: 300,
      },
      racers: ['Adam', 'UncorrectedAdam', 'Lion', 'newton', 'bfgs', 'lbfgs', 'lbfgs'].map((method) => ({
        method,
        rate: 0.05,
        options: {},
      })),
    },
  ],
]

test.each(races)('a race: %s', async (_, changes) => {
  const state = { ...descent.defaults, ...changes }
  const ground = { formula: surfaceOf(state).formula, condition: state.condition }
  const racers = state.racers.map(({ method, rate, options }) => ({ ...methodOf(method), rate, options }))
  const ends = (await race({ ...state, ground, racers } as RaceInput)).map(({ path, values, steps }, i) => ({
    order: racers[i].order === 1 ? 0 : racers[i].id === 'newton' ? 1 : 2,
    end: [path[2 * steps], path[2 * steps + 1], values[steps]],
  }))
  // A program runs first-order methods first, then Newton, then the rest.
  const wanted = [0, 1, 2].flatMap((order) => ends.flatMap((one) => (one.order === order ? [one.end] : [])))
  expect(printed(descentCode(state, program(ground)))).toEqual(wanted)
})
