/** Every optimizer follows PyTorch, optax, Keras or its authors' code step by step, on every backend. */
import { describe, expect, test } from 'vitest'
import { Adam, AdamW, Momentum, Nesterov, RMSProp, SGD } from '../ts/optim/index.js'
import { oracleCases } from './optim-problems.js'
import { backends, follow, type Make } from './optim-runner.js'

/** An oracle case, how our class says the same, and problems to leave out with the reason. */
type Row = [id: string, make: Make]

const lr = <O extends object>(learningRate: number, options?: O) => ({ learningRate, ...options })

const ELEMENTWISE: Row[] = [
  ['sgd', (s) => new SGD(s.parameters, lr(s.learningRate))],
  ['sgd_momentum', (s) => new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9 }))],
  ['sgd_momentum_dampening', (s) => new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9, dampening: 0.9 }))],
  ['sgd_nesterov', (s) => new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9, nesterov: true }))],
  ['sgd_nesterov', (s) => new Nesterov(s.parameters, lr(s.learningRate))],
  ['k_sgd_nesterov', (s) => new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9, nesterov: true, learningRateInside: true }))],
  ['sgd_wd', (s) => new SGD(s.parameters, lr(s.learningRate, { weightDecay: 0.1 }))],
  ['sgd_nesterov_wd', (s) => new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9, nesterov: true, weightDecay: 0.05 }))],
  ['seed_momentum', (s) => new Momentum(s.parameters, lr(s.learningRate))],
  ['ox_ema_momentum_seed', (s) => new Momentum(s.parameters, lr(s.learningRate))],
  ['ox_ema_momentum_debiased', (s) => new Momentum(s.parameters, lr(s.learningRate, { biasCorrection: true }))],
  ['sgd_momentum', (s) => new Momentum(s.parameters, lr(s.learningRate, { form: 'classical' }))],
  ['rmsprop', (s) => new RMSProp(s.parameters, lr(s.learningRate))],
  ['rmsprop_momentum', (s) => new RMSProp(s.parameters, lr(s.learningRate, { momentum: 0.9 }))],
  ['rmsprop_centered', (s) => new RMSProp(s.parameters, lr(s.learningRate, { centered: true, beta: 0.9, epsilon: 1e-4 }))],
  [
    'rmsprop_centered_momentum_wd',
    (s) => new RMSProp(s.parameters, lr(s.learningRate, { centered: true, momentum: 0.9, weightDecay: 0.01, beta: 0.95, epsilon: 1e-4 })),
  ],
  ['seed_rmsprop', (s) => new RMSProp(s.parameters, lr(s.learningRate, { beta: 0.9 }))],
  ['ox_rmsprop', (s) => new RMSProp(s.parameters, lr(s.learningRate, { beta: 0.9, epsilonPlacement: 'inside' }))],
  ['ox_rmsprop_eps_out', (s) => new RMSProp(s.parameters, lr(s.learningRate, { beta: 0.9, epsilon: 1e-3 }))],
  ['ox_rmsprop_bias_corrected', (s) => new RMSProp(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside', biasCorrection: true }))],
  [
    'ox_rmsprop_centered_nesterov',
    (s) =>
      new RMSProp(
        s.parameters,
        lr(s.learningRate, { ...kerasMomentum, beta: 0.9, centered: true, nesterov: true, epsilon: 1e-6 }),
      ),
  ],
  ['k_rmsprop', (s) => new RMSProp(s.parameters, lr(s.learningRate, { beta: 0.9, epsilonPlacement: 'inside', epsilon: 1e-3 }))],
  [
    'k_rmsprop_centered_momentum',
    (s) => new RMSProp(s.parameters, lr(s.learningRate, { ...kerasMomentum, beta: 0.9, centered: true, epsilon: 1e-4 })),
  ],
  ['adam', (s) => new Adam(s.parameters, lr(s.learningRate))],
  ['adam_betas_eps', (s) => new Adam(s.parameters, lr(s.learningRate, { beta1: 0.8, beta2: 0.95, epsilon: 1e-3 }))],
  ['adam_wd_coupled', (s) => new Adam(s.parameters, lr(s.learningRate, { weightDecay: 0.1 }))],
  ['adam_amsgrad', (s) => new Adam(s.parameters, lr(s.learningRate, { amsgrad: true, beta2: 0.95 }))],
  ['adam_amsgrad_wd', (s) => new Adam(s.parameters, lr(s.learningRate, { amsgrad: true, beta2: 0.95, weightDecay: 0.05 }))],
  ['adamw', (s) => new AdamW(s.parameters, lr(s.learningRate))],
  ['adamw', (s) => new Adam(s.parameters, lr(s.learningRate, { weightDecay: 0.01, decoupledWeightDecay: true }))],
  ['adamw_wd_amsgrad', (s) => new AdamW(s.parameters, lr(s.learningRate, { weightDecay: 0.1, amsgrad: true, beta2: 0.95 }))],
  ['embed_adam_dense', (s) => new Adam(s.parameters, lr(s.learningRate))],
  ['ox_adam_eps_root_seed', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside' }))],
  ['seed_adam_eps_inside_root', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside' }))],
  ['ox_adam_eps_root_large', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside', epsilon: 0.01 }))],
  ['ox_amsgrad', (s) => new Adam(s.parameters, lr(s.learningRate, { amsgrad: true, amsgradMaximum: 'corrected', beta2: 0.95 }))],
  ['k_adam_eps_hat', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-3 }))],
  ['k_adam_amsgrad', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-7, amsgrad: true, beta2: 0.95 }))],
  ['k_adamw', (s) => new AdamW(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-7, weightDecay: 0.05 }))],
]

const kerasMomentum = { momentum: 0.9, epsilonPlacement: 'inside', learningRateInside: true } as const

describe.each(backends)('$name', ({ make: makeBackend }) => {
  test.each(ELEMENTWISE)('%s', (id, make) => {
    for (const [problem, trajectory] of Object.entries(oracleCases.get(id)!.results)) {
      const { deviation, compared } = follow(problem, trajectory, makeBackend(), make)
      expect(deviation, `${id} on ${problem}`).toBeUndefined()
      expect(compared).toBeGreaterThan(0)
    }
  })
})
