/** docs/optimizers.md is up to date with the classes, the oracle cases and the measured figures. */
import { expect, test } from 'vitest'
import { mergeFigures, type OptimizerFigures, readFigures } from '../../bench/optim.js'
import { readDocument, verifiedBy, withTables } from '../../bench/optim-table.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'

const WRITE = 'run `node_modules/node/bin/node --import tsx bench/optim-table.ts`'
const CHECKLIST = "; checklist: 'An optimizer' in CONTRIBUTING.md"

test('the tables are those of the classes and of bench/results/optim.json', () => {
  expect(withTables(readDocument()), `docs/optimizers.md is out of date: ${WRITE}`).toBe(readDocument())
})

test('every optimizer is measured', () => {
  const { step, updates } = readFigures()
  const names = Object.keys(OPTIMIZERS).filter((name) => !(step[name] > 0 && updates.some((u) => u.optimizer === name)))
  const command = `node_modules/node/bin/node --import tsx bench/optim.ts --only ${names.join(',')} --write`
  expect(names, `no figures in bench/results/optim.json: run \`${command}\` (other figures stay), then ${WRITE}${CHECKLIST}`).toEqual([])
})

test('every optimizer is verified against an oracle', () => {
  const verified = verifiedBy()
  const names = Object.keys(OPTIMIZERS).filter((name) => (verified.get(name)?.length ?? 0) === 0)
  const remedy = 'add one with gradus=dict(optimizer=...) to test/oracles/optimizers.py and run `python optimizers.py --only ID` there'
  expect(names, `no case in test/oracles/optimizers.json: ${remedy}${CHECKLIST}`).toEqual([])
})

test('figures of some optimizers leave all others as they are and say where they were measured', () => {
  const file = readFigures()
  const at = { cpu: 'Another', node: '99.0.0', variant: 'simd', date: '2030-01-02' }
  const [old] = file.updates.filter((u) => u.optimizer === 'Lion')
  const now: OptimizerFigures = { ...at, step: { Lion: 1 }, bookkeeping: {}, updates: [{ ...old, wasm: 1e-9 }] }
  const merged = mergeFigures(file, now)
  const others = <T extends { optimizer: string; parameters: number }>(updates: T[]) =>
    updates.filter((u) => u.optimizer !== 'Lion' || u.parameters !== old.parameters)
  expect(others(merged.updates)).toEqual(others(file.updates))
  expect(merged.updates.find((u) => u.optimizer === 'Lion')).toMatchObject({ wasm: 1e-9, origin: at })
  expect(merged).toMatchObject({ cpu: file.cpu, date: file.date, step: { ...file.step, Lion: 1 }, stepOrigin: { Lion: at } })
  expect(mergeFigures(file, now, true), 'the better of figures of two machines').toMatchObject({ step: file.step, updates: file.updates })
  const text = withTables(readDocument(), merged)
  const note = /<sup>(\d+)<\/sup> Another, one thread, Node 99\.0\.0, `simd`, 2030-01-02\./.exec(text)?.[1]
  expect(note).toBeDefined()
  expect(text).toContain(`| Lion<sup>${note}</sup> |`)
  expect(text).toContain('| SGD |')
})
