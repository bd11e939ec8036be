/** Jacobians of dense nets compared with automatic differentiation; the models that are supported; and equations of all sizes. */
import { describe, expect, test } from 'vitest'
import { DoubleWorkspace } from '../../../ts/backend/double.js'
import { addGram, cholesky, solveCholesky } from '../../../ts/backend/js/normal-equations.js'
import { ACTIVATIONS } from '../../../ts/backend/kernels.js'
import { Activation, type Backend, createBackend, Dense, Generator, Sequential, type Tensor, tensor } from '../../../ts/index.js'
import { DenseNet, planOf, unitMajor } from '../../../ts/solve/dense-nets/dense-net.js'
import { rowsOf } from '../../../ts/solve/least-squares/residuals.js'

const double = () => createBackend({ backend: 'js', dtype: 'float64' })

describe('Jacobians of dense nets', () => {
  const shapes: { sizes: number[]; bias: boolean }[] = [
    { sizes: [3, 4, 2], bias: true },
    { sizes: [1, 5, 1], bias: true },
    { sizes: [2, 3, 4, 3], bias: false },
    { sizes: [3, 2], bias: true },
  ]
  for (const activation of ACTIVATIONS) {
    for (const { sizes, bias } of shapes) {
      test(`${sizes.join('-')} ${activation}${bias ? '' : ' without bias'} equals backpropagation`, () => {
        const backend = double()
        const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i % 2 === 0 ? activation : 'linear', bias }))
        const model = new Sequential([...layers, new Activation('tanh')].slice(0, layers.length + (sizes.length % 2)), { seed: 3, backend })
        compareJacobians(model, sizes, backend)
      })
    }
  }

  test('models with anything else, or a layer used twice, are not taken apart', () => {
    const layer = new Dense(2, 2)
    expect(planOf(new Sequential([layer, layer]))).toBeNull()
    class Own extends Dense {}
    expect(planOf(new Sequential([new Own(2, 2)]))).toBeNull()
    const traced = new Dense(2, 2)
    const { forward } = traced
    Object.assign(traced, { forward: (x: Tensor) => forward.call(traced, x as never) })
    expect(planOf(new Sequential([traced]))).toBeNull()
    expect(planOf(new Sequential([new Dense(2, 2, { activation: 'tanh' }), new Activation('relu')]))).toBeNull()
    expect(planOf(new Sequential([new Dense(2, 2), new Activation('relu')]))).toMatchObject([{ activation: 'relu' }])
  })

  test('JᵀJ, Cholesky and its solution for sizes 1 to 13', () => {
    const generator = new Generator(4)
    for (let n = 1; n <= 13; n++) {
      for (const m of [1, 2, n, n + 5]) {
        const j = Float64Array.from(generator.uniforms(n * m)).map((v) => v - 0.5)
        const h = new Float64Array(n * n)
        addGram(j, n, m, m, h)
        for (let a = 0; a < n; a++) {
          for (let b = 0; b <= a; b++) {
            let expected = 0
            for (let i = 0; i < m; i++) expected += j[a * m + i] * j[b * m + i]
            expect(h[a * n + b]).toBeCloseTo(expected, 13)
          }
        }
        const l = new Float64Array(n * n)
        expect(cholesky(h, n, 0.1, null, l)).toBe(true)
        const x = new Float64Array(n)
        solveCholesky(l, n, new Float64Array(n).fill(1), x)
        for (let a = 0; a < n; a++) {
          let row = 0.1 * x[a]
          for (let b = 0; b < n; b++) row += h[Math.max(a, b) * n + Math.min(a, b)] * x[b]
          expect(row).toBeCloseTo(1, 11)
        }
      }
    }
    expect(cholesky(Float64Array.of(1, 0, 1, 1), 2, 0, null, new Float64Array(4))).toBe(false)
    expect(cholesky(Float64Array.of(Number.NaN), 1, 0, null, new Float64Array(1))).toBe(false)
  })
})

function compareJacobians(model: Sequential, sizes: number[], backend: Backend): void {
  const rows = 5
  const outputs = sizes[sizes.length - 1]
  const parameters = model.parameters()
  for (const p of parameters) if (p.rank === 1) p.view().set(new Generator(9).uniforms(p.size))
  const size = parameters.reduce((total, p) => total + p.size, 0)
  const x = Float64Array.from(new Generator(7).uniforms(rows * sizes[0])).map((v) => 4 * v - 2)
  const expected = rowsOf(model.forward(tensor(x, [rows, sizes[0]], { backend })), parameters)
  backend.arena.end()
  const room = new DoubleWorkspace(backend)
  const net = new DenseNet(room, planOf(model)!, rows)
  const theta = Float64Array.from(parameters.flatMap((p) => [...p.view()]))
  const [at, inputs] = [room.put(theta), room.put(unitMajor(x, sizes[0], 0, rows))]
  const jacobian = room.put(new Float64Array(size * rows * outputs).fill(Number.NaN))
  net.forward(at, inputs, rows)
  net.slopes(rows)
  for (let k = 0; k < outputs; k++) net.jacobianOf(k, at, inputs, rows, jacobian, rows * outputs, k * rows)
  const columns = room.view(jacobian, size * rows * outputs)
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < outputs; k++) {
      for (let p = 0; p < size; p++) {
        expect(Math.abs(columns[p * rows * outputs + k * rows + r] - expected[(r * outputs + k) * size + p])).toBeLessThan(1e-13)
      }
    }
  }
}
