/**
 * Properties of SOAP. Its trajectories cannot be compared in general: they depend on eigenvectors, which are arbitrary if statistics are
 * rank-deficient.
 */
import { describe, expect, test } from 'vitest'
import { Adam } from '../../ts/index.js'
import { orthonormalize } from '../../ts/optim/base/qr.js'
import { SOAP } from '../../ts/optim/index.js'
import { Parameter } from '../../ts/parameter.js'
import { distance, type Numbers, oracleCases } from '../tools/optim-problems.js'
import { backends, makeSetting } from '../tools/optim-runner.js'

const orthogonality = (q: Numbers, n: number): number => {
  let worst = 0
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      let dot = a === b ? -1 : 0
      for (let i = 0; i < n; i++) dot += q[i * n + a] * q[i * n + b]
      worst = Math.max(worst, Math.abs(dot))
    }
  }
  return worst
}

/** Pseudo-random numbers without structure, so that statistics have full rank after a few gradients. */
const noise = (i: number, k: number) => {
  const x = Math.sin(i * 127.1 + k * 311.7 + 1) * 43758.5453
  return 2 * (x - Math.floor(x)) - 1
}

function runNoise(optimizer: { step(): void }, parameters: Parameter[], steps: number, from = 0): void {
  for (let k = from; k < from + steps; k++) {
    for (const [j, p] of parameters.entries()) p.gradientView().forEach((_, i, g) => (g[i] = noise(i + 1000 * j, k)))
    optimizer.step()
  }
}

const flat = (parameters: Parameter[]) => parameters.flatMap((p) => [...p.view()])

describe.each(backends)('on $name', ({ make, double }) => {
  const backend = make()
  const parameters = () =>
    [[7, 4], [5], [3, 9]].map((shape, j) => {
      const size = shape.reduce((a, b) => a * b, 1)
      return new Parameter(
        Float64Array.from({ length: size }, (_, i) => noise(i, -1 - j)),
        { shape, name: `p${j}`, backend },
      )
    })

  test('bases stay orthogonal', () => {
    const p = parameters()
    const optimizer = new SOAP(p, { basisEvery: 2 })
    for (const steps of [1, 2, 98]) {
      runNoise(optimizer, p, steps)
      const { slots } = optimizer.state().groups[0].parameters[0]
      for (const [name, n] of [
        ['leftBasis', 7],
        ['rightBasis', 4],
      ] as const) {
        expect(orthogonality(slots[name], n), `${name} after ${optimizer.stepCount}`).toBeLessThan(double ? 1e-13 : 1e-6)
      }
    }
  })

  test('bases of statistics that do not change become their eigenvectors', () => {
    const p = new Parameter(new Float64Array(12), { shape: [3, 4], name: 'p', backend })
    const optimizer = new SOAP([p], { basisEvery: 1 })
    for (let k = 0; k < 60; k++) {
      p.gradientView().set([3, 0.5, 0.1, 0, 0.5, 2, 0.2, 0.1, 0.1, 0.2, 1, 0])
      optimizer.step()
    }
    const { left, leftBasis } = optimizer.state().groups[0].parameters[0].slots
    for (let a = 0; a < 3; a++) {
      const turned = [0, 1, 2].map((i) => [0, 1, 2].reduce((sum, k) => sum + left[i * 3 + k] * leftBasis[k * 3 + a], 0))
      for (let b = 0; b < 3; b++) {
        const inner = turned.reduce((sum, value, i) => sum + value * leftBasis[i * 3 + b], 0)
        if (a !== b) expect(Math.abs(inner)).toBeLessThan((double ? 1e-9 : 1e-4) * left[0])
      }
    }
  })

  test('with the identity as basis it is Adam, a step behind', () => {
    const options = { learningRate: 0.01, beta1: 0.95, beta2: 0.95, epsilon: 1e-3 }
    const adam = parameters()
    const reference = new Adam(adam, { ...options, epsilonPlacement: 'hat' })
    runNoise(reference, adam, 20, 1)
    const close = (p: Parameter[]) =>
      flat(p).forEach((value, i) => expect(Math.abs(value - flat(adam)[i])).toBeLessThan(double ? 1e-14 : 1e-6))

    const without = parameters()
    runNoise(new SOAP(without, { ...options, weightDecay: 0, maximumDimension: 0 }), without, 21)
    close(without)

    const identity = parameters()
    const optimizer = new SOAP(identity, { ...options, weightDecay: 0, basisEvery: 1e9 })
    runNoise(optimizer, identity, 1)
    const state = optimizer.state()
    for (const { slots } of state.groups[0].parameters) {
      for (const [name, basis] of Object.entries(slots)) {
        if (name.endsWith('Basis')) basis.forEach((_, i) => (basis[i] = i % (Math.sqrt(basis.length) + 1) === 0 ? 1 : 0))
      }
    }
    optimizer.loadState(state)
    runNoise(optimizer, identity, 20, 1)
    close(identity)
  })

  test('eigenvalues that change places take their second moments with them', () => {
    // of diagonal gradients the bases are the axes in some order, and so it is Adam, a step behind
    const sizes = [
      ...[
        [5, 3, 1],
        [5, 3, 1],
      ],
      ...Array.from({ length: 20 }, () => [0.5, 4, 9]),
    ]
    const options = { learningRate: 0.01, beta1: 0.95, beta2: 0.95, epsilon: 1e-8 }
    const parameter = () => new Parameter(new Float64Array(12), { shape: [3, 4], name: 'p', backend })
    const [p, adam] = [parameter(), parameter()]
    const optimizer = new SOAP([p], { ...options, weightDecay: 0, basisEvery: 3 })
    const reference = new Adam([adam], { ...options, epsilonPlacement: 'hat' })
    for (const [k, size] of sizes.entries()) {
      const gradient = Float64Array.from({ length: 12 }, (_, i) => (i % 5 === 0 ? size[i / 5] * noise(i, k) : 0))
      p.gradientView().set(gradient)
      optimizer.step()
      if (k === 0) continue
      adam.gradientView().set(gradient)
      reference.step()
    }
    const { leftBasis } = optimizer.state().groups[0].parameters[0].slots
    expect([...leftBasis].map((x) => Math.round(Math.abs(x)))).toEqual([0, 0, 1, 0, 1, 0, 1, 0, 0])
    flat([p]).forEach((value, i) => expect(Math.abs(value - flat([adam])[i])).toBeLessThan(double ? 1e-14 : 1e-6))
  })

  test('the first step moves nothing', () => {
    const p = parameters()
    const before = flat(p)
    runNoise(new SOAP(p), p, 1)
    expect(flat(p)).toEqual(before)
  })

  test('agrees with the double-precision rule where the statistics have full rank', () => {
    const [reference] = backends.filter((b) => b.double)
    const other = reference.make()
    const [a, b] = [
      parameters(),
      parameters().map((p) => new Parameter(Float64Array.from(p.view()), { shape: p.shape, name: p.name, backend: other })),
    ]
    for (const p of [a, b]) {
      const optimizer = new SOAP(p, { basisEvery: 3, epsilon: 1e-2 })
      for (let k = 0; k < 13; k++) {
        for (const [j, q] of p.entries()) {
          // A strong diagonal keeps the eigenvalues of both sides apart.
          const cols = q.shape[1] ?? 1
          q.gradientView().forEach(
            (_, i, g) => (g[i] = (i % cols === Math.floor(i / cols) ? 4 - (i % cols) : 0) + 0.05 * noise(i + 1000 * j, k)),
          )
        }
        optimizer.step()
      }
    }
    expect(distance(flat([a[1]]), flat([b[1]]))).toBeLessThan(1e-6)
    expect(distance(flat([a[0]]), flat([b[0]]))).toBeLessThan(double ? 1e-12 : 2e-3)
  })

  test.each(['quad2d', 'mlp'])('%s: the oracle’s first two steps, and a loss no worse at the hundredth', (problem) => {
    const { lr, steps } = oracleCases.get('soap')!.results[problem]
    const setting = makeSetting(problem, lr, backend)
    const optimizer = new SOAP(setting.parameters, { learningRate: lr, basisEvery: 5 })
    const losses: number[] = []
    for (let k = 1; k <= 100; k++) {
      losses.push(setting.gradient())
      optimizer.step()
      // In float32 rounding fills the null space of the first gradient, whose basis is arbitrary.
      if (k <= (double ? 2 : 1)) expect(distance(setting.flat(), steps[k].p), `step ${k}`).toBeLessThan(1e-5)
    }
    const last = setting.gradient()
    const [start, wanted] = [losses[0], steps[100].loss]
    expect(start - last).toBeGreaterThan(0.95 * (start - wanted))
  })
})

test('QR: orthonormal columns that span the same, also of singular matrices', () => {
  const matrices: [number, (i: number) => number][] = [
    [1, () => -2],
    [6, (i) => noise(i, 3)],
    [5, (i) => (i % 5) + 1],
    [4, () => 0],
    [3, (i) => 1e-200 * noise(i, 1)],
  ]
  for (const [n, at] of matrices) {
    const a = Float64Array.from({ length: n * n }, (_, i) => at(i))
    const q = orthonormalize(a, n)
    expect(orthogonality(q, n)).toBeLessThan(1e-14)
    const size = Math.hypot(...a)
    for (let column = 0; column < n; column++) {
      // R = Qᵀ·A is zero below the diagonal.
      for (let row = column + 1; row < n; row++) {
        let dot = 0
        for (let i = 0; i < n; i++) dot += q[i * n + row] * a[i * n + column]
        expect(Math.abs(dot)).toBeLessThanOrEqual(1e-14 * size)
      }
    }
  }
})
