/** Several targets at the command line: train, predict, evaluate, inspect, explain and export. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gradus as run } from '../../tools/command.js'

let folder: string
const gradus = (...args: string[]) => run(args, { cwd: folder })
const errorOf = async (...args: string[]) => (await gradus(...args)).stderr
const MODEL = 'penguins.safetensors'
const TABLE = 'penguins.csv'

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-targets-'))
  copyFileSync('docs/guide/penguins.csv', path.join(folder, TABLE))
  const { stdout, stderr } = await gradus('train', TABLE, '-t', 'body_mass_g,sex', '--epochs', '4', '--report', 'report.html', '--quiet')
  expect(stdout).toMatch(/^'body_mass_g': R² \S+ on \d+ test rows\n'sex': accuracy \S+ on \d+ test rows; penguins\.safetensors\n$/)
  expect(stderr).toContain("11 rows left out: no value in 'sex'")
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('predict and evaluate take all targets', async () => {
  expect(readFileSync(path.join(folder, 'report.html'), 'utf8')).toContain('Predicting ‘body_mass_g’, ‘sex’')
  const { stdout } = await gradus('predict', MODEL, TABLE, '--only')
  const [head, first] = stdout.split('\n')
  expect(head).toBe('predicted_body_mass_g,low_body_mass_g,high_body_mass_g,predicted_sex,probability_sex,p_sex_female,p_sex_male')
  const json = JSON.parse((await gradus('predict', MODEL, TABLE, '--only', '--json')).stdout.split('\n')[0])
  const { body_mass_g: mass, sex } = json
  expect(first.split(',').map((cell) => Number(cell) || cell)).toEqual([
    ...[mass.value, mass.low, mass.high].map((x) => expect.closeTo(x, 3)),
    ...[
      sex.class,
      expect.closeTo(sex.probability, 6),
      expect.closeTo(sex.probabilities.female, 6),
      expect.closeTo(sex.probabilities.male, 6),
    ],
  ])
  const evaluated = await gradus('evaluate', MODEL, TABLE)
  for (const part of ["'body_mass_g' of 342 of 344 rows", "'sex' of 333 of 344 rows", '‘sex’: Confusion'])
    expect(evaluated.stdout).toContain(part)
  const { evaluations } = JSON.parse((await gradus('evaluate', MODEL, TABLE, '--json')).stdout)
  expect(Object.keys(evaluations)).toEqual(['body_mass_g', 'sex'])
  const inspected = (await gradus('inspect', MODEL)).stdout
  for (const part of ["predicts 'body_mass_g'", "predicts 'sex'", 'female, male']) expect(inspected).toContain(part)
})

test('explain and export take one', async () => {
  expect(await errorOf('explain', MODEL, TABLE)).toContain("the model has several targets, 'body_mass_g', 'sex'; --target says which")
  expect(await errorOf('explain', MODEL, TABLE, '--target', 'age')).toContain("--target age: the model predicts 'body_mass_g', 'sex'")
  expect((await gradus('explain', MODEL, TABLE, '--target', 'sex')).stdout).toContain("says of 'sex'")
  expect(await errorOf('export', MODEL, '--to', 'js')).toContain('--target says which')
  await gradus('export', MODEL, '--to', 'js', '--target', 'sex')
  expect(existsSync(path.join(folder, 'penguins.sex.mjs'))).toBe(true)
})

test('what takes one target says so; a column with a comma in its name is one', async () => {
  expect(await errorOf('tune', TABLE, '-t', 'body_mass_g,sex')).toContain(
    'gradus train takes several targets, this command one of body_mass_g, sex',
  )
  expect(await errorOf('train', TABLE, '-t', 'body_mass_g,sex', '--xray')).toContain('--xray looks at nets of one target')
  expect(await errorOf('train', TABLE, '-t', 'sex,sexx')).toContain("there is no column 'sexx'")
  writeFileSync(path.join(folder, 'comma.csv'), `"x, y",z\n${Array.from({ length: 40 }, (_, i) => `${i / 7},${i % 9}`).join('\n')}\n`)
  const { stdout } = await gradus('train', 'comma.csv', '-t', 'x, y', '--epochs', '2', '--json')
  expect(JSON.parse(stdout).target).toBe('x, y')
})
