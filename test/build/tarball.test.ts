/** The tarball, installed into an empty folder without a network, trains there. test/build/package.test.ts looks at all of it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

const PROGRAM = `
  import { Adam, crossEntropy, Dense, fit, load, Sequential } from 'gradus'
  import { forecast } from 'gradus/series'
  const backend = await load()
  const model = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 2)], { seed: 1 })
  const inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
  const optimizer = new Adam(model.parameters(), { learningRate: 0.1 })
  const history = await fit(model, { inputs, targets: [0, 1, 1, 0], loss: crossEntropy, optimizer, epochs: 100, seed: 1 })
  const { forecasts } = await forecast(Array.from({ length: 30 }, (_, t) => ({ t, y: t % 7 })), { time: 't', value: 'y', horizon: 1 })
  console.log(JSON.stringify([backend.variant, history.epochs.at(-1).loss < 0.1, forecasts.length]))
`

test('what npm would publish is installed and trains', () => {
  if (!existsSync('dist/index.js')) throw new Error('dist/ is not built; run make build')
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-tarball-'))
  const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, encoding: 'utf8' })
  try {
    run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], process.cwd())
    const [tarball] = readdirSync(folder)
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
    run('npm', ['install', tarball, '--offline', '--no-audit', '--no-fund', '--loglevel=error'], folder)
    writeFileSync(path.join(folder, 'program.js'), PROGRAM)
    expect(JSON.parse(run(process.execPath, ['program.js'], folder))).toEqual([expect.stringMatching(/^(simd|relaxed)$/), true, 1])
    expect(run(process.execPath, ['node_modules/gradus/dist/cli.js', '--version'], folder)).toMatch(/^\d+\.\d+\.\d+\n$/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
