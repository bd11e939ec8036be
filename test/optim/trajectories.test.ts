/** Every optimizer follows PyTorch, optax, Keras or its authors' code step by step, on every backend. */
import { describe, expect, test } from 'vitest'
import { averages, ELEMENTWISE, LAYERWISE, WRAPPED } from '../tools/optim-cases.js'
import { oracleCases } from '../tools/optim-problems.js'
import { backends, describeDeviation, follow } from '../tools/optim-runner.js'

describe.each(backends)('$name', ({ make: makeBackend }) => {
  const backend = makeBackend()

  test.each([...ELEMENTWISE, ...LAYERWISE, ...WRAPPED])('%s', (id, make, floors) => {
    for (const [problem, trajectory] of Object.entries(oracleCases.get(id)!.results)) {
      const { deviation, compared } = follow(problem, trajectory, backend, make, averages, floors)
      if (deviation !== undefined) throw new Error(`${id} on ${problem}: ${describeDeviation(deviation)}`)
      expect(compared).toBeGreaterThan(0)
    }
  })
})

/** Cases that are not followed, and why. */
const LEFT_OUT: Record<string, string> = {
  muon_bf16_as_shipped: 'Newton–Schulz in bfloat16, which we do not imitate',
  lbfgs: 'whole-batch methods have an issue of their own',
  ox_lbfgs: 'whole-batch methods have an issue of their own',
  newton_damped: 'second order',
  lm_nielsen: 'second order',
  natural_gradient_ggn: 'second order',
  ox_sophia_exact_diag: 'second order',
  schedulefree_radam: 'not shipped',
  mars_adamw: 'not shipped',
  soap: 'bases of rank-deficient statistics are arbitrary: its properties are tested in optim.soap.test.ts',
  ox_schedule_free_sgd: 'optax lets z lag one step behind the warm-up; the authors’ code is followed',
  ox_novograd: 'not shipped',
  ox_fromage: 'not shipped',
  ox_sm3: 'not shipped',
  ox_optimistic_gd: 'not shipped',
  ox_polyak_sgd: 'not shipped',
  ox_adafactor: 'PyTorch’s Adafactor is followed',
  ox_adafactor_momentum: 'PyTorch’s Adafactor is followed',
  k_adafactor: 'PyTorch’s Adafactor is followed',
  ox_muon: 'PyTorch’s Muon is followed',
  ox_dadapt_adamw: 'not shipped',
  ox_dowg: 'not shipped',
  ox_mechanic_sgd: 'not shipped',
  ox_madgrad: 'not shipped',
  ox_momo: 'not shipped',
  ox_momo_adam: 'not shipped',
  k_ftrl: 'not shipped',
}

test('every case of the file is followed, or left out for a reason', () => {
  const followed = new Set([...ELEMENTWISE, ...LAYERWISE, ...WRAPPED].map(([id]) => id))
  const open = [...oracleCases.values()].filter(({ id, compare }) => compare !== 'mutation' && !followed.has(id)).map(({ id }) => id)
  const unknown = open.filter((id) => !Object.keys(LEFT_OUT).some((left) => id === left || (left.endsWith('lbfgs') && id.startsWith(left))))
  expect(
    unknown,
    `${unknown.join(', ')}: say how gradus does the same, by gradus=dict(optimizer=...) in test/oracles/optimizers.py and ` +
      '`python optimizers.py --only ID`, or by a row in test/tools/optim-cases.ts; or give a reason in LEFT_OUT here',
  ).toEqual([])
})
