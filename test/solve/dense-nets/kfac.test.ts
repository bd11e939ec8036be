/** KFAC where its factors are exact: the natural gradient and the Fisher matrix of one linear layer; its state. */
import { describe, expect, test } from 'vitest'
import { createBackend, Dense, Sequential, tensor } from '../../../ts/index.js'
import { KFAC, NaturalGradient } from '../../../ts/solve/index.js'
import { rowsOf } from '../../../ts/solve/least-squares/residuals.js'
import { oracle } from '../../tools/optim-problems.js'
import { flat, oracleNet } from '../../tools/oracle-net.js'

const { mlp } = oracle.problems
const double = () => createBackend({ backend: 'js', dtype: 'float64' })

describe('KFAC', () => {
  test('one linear layer and one sample: the exact natural gradient, without damping by factors', () => {
    // For one sample F = (ā·āᵀ) ⊗ S. The factored damping differs from λ·I by terms of order √λ; with d = (A + a·I)⁻¹G(S + b·I)⁻¹
    // the exact solution is known in closed form, since ā is an eigenvector of A.
    const backend = double()
    const x = [0.7, -1.2, 0.4]
    const target = [2]
    const damping = 1e-3
    const step = (Kind: typeof KFAC | typeof NaturalGradient) => {
      const model = new Sequential([new Dense(3, 4)], { seed: 5, backend })
      const before = model.parameters().flatMap((p) => [...p.view()])
      new Kind(model, { learningRate: 1, damping: Kind === KFAC ? damping : 0 + 1e-9 }).step([x], target)
      return model.parameters().flatMap((p, i) => [...p.view()].map((v, j) => v - before[(i === 0 ? 0 : 12) + j]))
    }
    const kfac = step(KFAC)
    const exact = step(NaturalGradient)
    const cosine = dot(kfac, exact) / Math.sqrt(dot(kfac, kfac) * dot(exact, exact))
    expect(cosine).toBeGreaterThan(0.999)
  })

  test('its factors multiply to the exact Fisher matrix there', () => {
    const backend = double()
    const model = new Sequential([new Dense(3, 4)], { seed: 5, backend })
    const x = [0.7, -1.2, 0.4]
    const logits = [...model.predict([x]).data()]
    const kfac = new KFAC(model, { learningRate: 0 })
    kfac.step([x], [2])
    const [{ a, s }] = kfac.state().values.factors as { a: Float64Array; s: Float64Array }[]
    const total = logits.reduce((sum2, z) => sum2 + Math.exp(z), 0)
    const p = logits.map((z) => Math.exp(z) / total)
    const ones = [...x, 1]
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j <= i; j++) {
        expect(a[i * 4 + j]).toBeCloseTo(ones[i] * ones[j], 14)
        expect(s[i * 4 + j]).toBeCloseTo((i === j ? p[i] : 0) - p[i] * p[j], 14)
      }
    }
    const jacobian = rowsOf(model.forward(tensor([x], { backend })), model.parameters())
    backend.arena.end()
    const symmetric = (h: Float64Array, i: number, j: number) => h[Math.max(i, j) * 4 + Math.min(i, j)]
    for (let u = 0; u < 16; u++) {
      for (let v = 0; v < 16; v++) {
        let fisher = 0
        for (let k = 0; k < 4; k++) {
          for (let l = 0; l < 4; l++) fisher += jacobian[k * 16 + u] * ((k === l ? p[k] : 0) - p[k] * p[l]) * jacobian[l * 16 + v]
        }
        expect(symmetric(a, u >> 2, v >> 2) * symmetric(s, u & 3, v & 3)).toBeCloseTo(fisher, 14)
      }
    }
  })

  test('its state goes on where it was', () => {
    const run = (restart: boolean) => {
      const model = oracleNet(double())
      let optimizer = new KFAC(model)
      for (let k = 0; k < 6; k++) {
        optimizer.step(mlp.X, mlp.y)
        if (!restart || k !== 2) continue
        const state = JSON.parse(JSON.stringify(optimizer.state()))
        optimizer = new KFAC(model)
        optimizer.loadState(state)
      }
      return flat(model)
    }
    expect(run(true)).toEqual(run(false))
  })
})

const dot = (a: number[], b: number[]) => a.reduce((total, v, i) => total + v * b[i], 0)
