/** Muon: parameters that are not matrices go to AdamW. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import { Muon } from '../../ts/index.js'
import { make } from '../tools/optim-parameters.js'

const double = createBackend({ backend: 'js', dtype: 'float64' })

describe('Muon', () => {
  test('gives what is not a matrix to AdamW', () => {
    const p = make([[4, 6], [6], [6, 2], [2]], double)
    const optimizer = new Muon([{ parameters: p.slice(0, 2) }, { parameters: p.slice(2), method: 'adamw' }], { companionLearningRate: 0.5 })
    expect(
      optimizer.groups.map(({ parameters, options }) => [parameters.map(({ name }) => name), options.method, options.learningRate]),
    ).toEqual([
      [['p0'], 'muon', 1e-3],
      [['p1'], 'adamw', 0.5],
      [['p2', 'p3'], 'adamw', 0.5],
    ])
    expect(() => new Muon([{ parameters: p.slice(0, 2), method: 'muon' }])).toThrow(
      "Muon: parameter 'p1' is no matrix; leave method at 'auto'",
    )
    const array = { value: new Float32Array(2), gradient: new Float32Array(2), name: 'bias' }
    expect(() => new Muon([array], { method: 'muon' })).toThrow("Muon: parameter 'bias' is no matrix")
  })
})
