/**
 * The oracle cases of optimizers.json, each with the equivalent optimizer of this library. A case that names its equivalent itself (`gradus`, see
 * test/oracles/optimizers.py) needs no row here.
 */
import {
  Adam,
  AdamW,
  clipGlobalNorm,
  GradientAccumulation,
  Lion,
  Lookahead,
  Momentum,
  Muon,
  NAdam,
  type Optimizer,
  RMSProp,
  SAM,
  SGD,
} from '../../ts/index.js'
import {
  ADOPT,
  AdaBelief,
  Adadelta,
  Adafactor,
  Adagrad,
  Adamax,
  Adan,
  AdEMAMix,
  ASGD,
  type AveragingOptimizer,
  adaptiveClip,
  Cautious,
  centralize,
  DoG,
  LAMB,
  LARS,
  Nesterov,
  OPTIMIZERS,
  Prodigy,
  RAdam,
  Rprop,
  ScheduleFreeAdamW,
  ScheduleFreeSGD,
  Shampoo,
  SignSGD,
  Signum,
  SparseAdam,
  Yogi,
} from '../../ts/optim/index.js'
import { cosine, Scheduler, warmup } from '../../ts/schedule/index.js'
import { oracleCases } from './optim-problems.js'
import type { Floors, Make, Setting, Steppable } from './optim-runner.js'

/** An oracle case, the equivalent optimizer, and, if necessary, a lower bound of the tolerance with the reason. */
export type Row = [id: string, make: Make, floors?: Floors]

/** The rows of cases that name their class and options themselves. */
const SELF_DESCRIBED: Row[] = [...oracleCases.values()].flatMap(({ id, gradus }): Row[] => {
  if (gradus === undefined) return []
  const Class = OPTIMIZERS[gradus.optimizer as 'Adam'] as typeof Adam | undefined
  if (Class === undefined)
    throw new Error(
      `case '${id}' of test/oracles/optimizers.json is of ${gradus.optimizer}, which is not in OPTIMIZERS (ts/optim/optimizers.ts)`,
    )
  return [[id, (s) => new Class(s.parameters, { learningRate: s.learningRate, ...gradus.options })]]
})

/** Tolerance for float32 roots of float32 sums, which cannot be more accurate; the file of drifts has no data on them. */
const FLOAT32_ROOTS: Floors = { single: 2e-4 }
/** For trajectories that are chaotic in the end: 1.5 times the measured drift × 8. */
const CHAOTIC: Floors = { single: 2e-3, from: 50 }
/** Inside optax the schedule is evaluated in float32, also in float64 runs. */
const FLOAT32_SCHEDULE: Floors = { double: 1e-7 }

const lr = <O extends object>(learningRate: number, options?: O) => ({ learningRate, ...options })

export const ELEMENTWISE: Row[] = [
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
    (s) => new RMSProp(s.parameters, lr(s.learningRate, { ...kerasMomentum, beta: 0.9, centered: true, nesterov: true, epsilon: 1e-6 })),
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
  ['embed_sparse_adam', (s) => new SparseAdam(s.parameters, lr(s.learningRate))],
  ['embed_sgd_sparse', (s) => new SGD(s.parameters, lr(s.learningRate))],
  ['embed_adagrad_sparse', (s) => new Adagrad(s.parameters, lr(s.learningRate))],
  ['embed_adam_dense', (s) => new Adam(s.parameters, lr(s.learningRate))],
  ['ox_adam_eps_root_seed', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside' }))],
  ['seed_adam_eps_inside_root', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside' }))],
  ['ox_adam_eps_root_large', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'inside', epsilon: 0.01 }))],
  ['ox_amsgrad', (s) => new Adam(s.parameters, lr(s.learningRate, { amsgrad: true, amsgradMaximum: 'corrected', beta2: 0.95 }))],
  ['k_adam_eps_hat', (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-3 }))],
  [
    'k_adam_amsgrad',
    (s) => new Adam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-7, amsgrad: true, beta2: 0.95 })),
  ],
  ['k_adamw', (s) => new AdamW(s.parameters, lr(s.learningRate, { epsilonPlacement: 'hat', epsilon: 1e-7, weightDecay: 0.05 }))],
  ['adagrad', (s) => new Adagrad(s.parameters, lr(s.learningRate))],
  [
    'adagrad_lrdecay_wd_init',
    (s) =>
      new Adagrad(s.parameters, lr(s.learningRate, { learningRateDecay: 0.01, weightDecay: 0.01, initialAccumulator: 0.1, epsilon: 1e-6 })),
  ],
  [
    'ox_adagrad',
    (s) => new Adagrad(s.parameters, lr(s.learningRate, { initialAccumulator: 0.1, epsilon: 1e-7, epsilonPlacement: 'inside' })),
  ],
  [
    'k_adagrad',
    (s) => new Adagrad(s.parameters, lr(s.learningRate, { initialAccumulator: 0.1, epsilon: 1e-7, epsilonPlacement: 'inside' })),
  ],
  ['adadelta', (s) => new Adadelta(s.parameters, lr(s.learningRate))],
  ['adadelta_rho_eps_wd', (s) => new Adadelta(s.parameters, lr(s.learningRate, { rho: 0.95, epsilon: 1e-3, weightDecay: 0.01 }))],
  ['k_adadelta', (s) => new Adadelta(s.parameters, lr(s.learningRate, { rho: 0.95, epsilon: 1e-7 }))],
  ['adamax', (s) => new Adamax(s.parameters, lr(s.learningRate))],
  ['adamax_wd', (s) => new Adamax(s.parameters, lr(s.learningRate, { weightDecay: 0.05, epsilon: 1e-4 }))],
  ['ox_adamaxw', (s) => new Adamax(s.parameters, lr(s.learningRate, { weightDecay: 0.05, decoupledWeightDecay: true }))],
  ['k_adamax', (s) => new Adamax(s.parameters, lr(s.learningRate, { epsilon: 1e-3, epsilonPlacement: 'outside' }))],
  ['nadam', (s) => new NAdam(s.parameters, lr(s.learningRate))],
  ['nadam_wd', (s) => new NAdam(s.parameters, lr(s.learningRate, { weightDecay: 0.05, momentumDecay: 6e-3 }))],
  ['nadamw', (s) => new NAdam(s.parameters, lr(s.learningRate, { weightDecay: 0.05, decoupledWeightDecay: true }))],
  ['ox_nadam', (s) => new NAdam(s.parameters, lr(s.learningRate, { momentumDecay: Infinity }))],
  [
    'ox_nadamw',
    (s) => new NAdam(s.parameters, lr(s.learningRate, { momentumDecay: Infinity, weightDecay: 0.05, decoupledWeightDecay: true })),
  ],
  ['k_nadam', (s) => new NAdam(s.parameters, lr(s.learningRate, { momentumDecay: 1, epsilon: 1e-7 }))],
  ['radam', (s) => new RAdam(s.parameters, lr(s.learningRate))],
  ['radam_wd', (s) => new RAdam(s.parameters, lr(s.learningRate, { weightDecay: 0.05, beta2: 0.99 }))],
  ['radamw', (s) => new RAdam(s.parameters, lr(s.learningRate, { weightDecay: 0.05, beta2: 0.99, decoupledWeightDecay: true }))],
  ['ox_radam', (s) => new RAdam(s.parameters, lr(s.learningRate, { epsilonPlacement: 'outside' }))],
  ['asgd', (s) => new ASGD(s.parameters, lr(s.learningRate))],
  ['asgd_t0', (s) => new ASGD(s.parameters, lr(s.learningRate, { averageFrom: 10, lambda: 0.01, power: 0.5, weightDecay: 0.01 }))],
  ['rprop', (s) => new Rprop(s.parameters, lr(s.learningRate))],
  ['rprop_etas', (s) => new Rprop(s.parameters, lr(s.learningRate, { etaMinus: 0.4, etaPlus: 1.3, minimumStep: 1e-4, maximumStep: 0.03 }))],
  ['ox_lion', (s) => new Lion(s.parameters, lr(s.learningRate, { weightDecay: 1e-3 }))],
  ['ox_lion_wd', (s) => new Lion(s.parameters, lr(s.learningRate, { beta1: 0.95, beta2: 0.98, weightDecay: 0.1 }))],
  ['k_lion', (s) => new Lion(s.parameters, lr(s.learningRate))],
  ['ox_sign_sgd', (s) => new SignSGD(s.parameters, lr(s.learningRate))],
  ['ox_signum', (s) => new Signum(s.parameters, lr(s.learningRate))],
  ['ox_adabelief', (s) => new AdaBelief(s.parameters, lr(s.learningRate))],
  ['ox_adabelief_eps', (s) => new AdaBelief(s.parameters, lr(s.learningRate, { epsilon: 1e-8, epsilonRoot: 1e-6 }))],
  ['ox_yogi', (s) => new Yogi(s.parameters, lr(s.learningRate))],
  ['adan', (s) => new Adan(s.parameters, lr(s.learningRate))],
  [
    'adan_wd_decoupled',
    (s) => new Adan(s.parameters, lr(s.learningRate, { weightDecay: 0.05, weightDecayForm: 'decoupled', epsilon: 1e-4 })),
  ],
  ['adan_wd_prox', (s) => new Adan(s.parameters, lr(s.learningRate, { weightDecay: 0.05 }))],
  ['ox_adopt', (s) => new ADOPT(s.parameters, lr(s.learningRate, { beta2: 0.99 }))],
  ['ox_adopt_noclip', (s) => new ADOPT(s.parameters, lr(s.learningRate, { beta2: 0.99, clip: false }))],
  ['ox_ademamix', (s) => new AdEMAMix(s.parameters, lr(s.learningRate, { beta3: 0.99, alpha: 2, weightDecay: 0.01 }))],
  ['schedulefree_sgd', (s) => new ScheduleFreeSGD(s.parameters, lr(s.learningRate))],
  ['schedulefree_sgd_warmup_wd', (s) => new ScheduleFreeSGD(s.parameters, lr(s.learningRate, { warmupSteps: 10, weightDecay: 0.01 }))],
  ['schedulefree_adamw', (s) => new ScheduleFreeAdamW(s.parameters, lr(s.learningRate))],
  [
    'schedulefree_adamw_warmup_wd',
    (s) => new ScheduleFreeAdamW(s.parameters, lr(s.learningRate, { warmupSteps: 10, weightDecay: 0.05, beta1: 0.95, beta2: 0.99 })),
  ],
  ['ox_schedule_free_adamw', (s) => new ScheduleFreeAdamW(s.parameters, lr(s.learningRate, { weightDecay: 0.01 }))],
  ...SELF_DESCRIBED,
]

export const LAYERWISE: Row[] = [
  ['prodigy_official', (s) => new Prodigy(s.parameters, lr(s.learningRate, { initialDistance: 1e-3 }))],
  ['ox_prodigy', (s) => new Prodigy(s.parameters, lr(s.learningRate, { initialDistance: 1e-3, biasCorrection: true }))],
  ['ox_dog', (s) => new DoG(s.parameters, lr(s.learningRate, { initialDistance: 0.01 }))],
  ['ox_lars', (s) => new LARS(s.parameters, lr(s.learningRate, { trustCoefficient: 0.02 }))],
  ['ox_lars_wd_nesterov', (s) => new LARS(s.parameters, lr(s.learningRate, { weightDecay: 0.01, trustCoefficient: 0.02, nesterov: true }))],
  ['ox_lamb', (s) => new LAMB(s.parameters, lr(s.learningRate))],
  ['ox_lamb_wd', (s) => new LAMB(s.parameters, lr(s.learningRate, { weightDecay: 0.1 }))],
  ['k_lamb', (s) => new LAMB(s.parameters, lr(s.learningRate, { epsilon: 1e-7, decayInRatio: false }))],
  ['adafactor', (s) => new Adafactor(s.parameters, lr(s.learningRate))],
  [
    'adafactor_wd_d',
    (s) =>
      new Adafactor(
        s.parameters,
        lr(s.learningRate, { weightDecay: 0.05, clipThreshold: 1.5, beta2Decay: -0.7, epsilon1: 1e-8, epsilon2: 0.01 }),
      ),
  ],
  ['muon', (s) => new Muon(s.parameters, lr(s.learningRate, { outputAxis: 'first' }))],
  ['muon_no_nesterov_wd0', (s) => new Muon(s.parameters, lr(s.learningRate, { outputAxis: 'first', nesterov: false, weightDecay: 0 }))],
  [
    'muon_match_rms',
    (s) => new Muon(s.parameters, lr(s.learningRate, { outputAxis: 'first', scaling: 'matchAdamW', momentum: 0.9, iterations: 3 })),
  ],
  ['shampoo_alg1', (s) => new Shampoo(s.parameters, lr(s.learningRate, { rootEvery: 1 })), FLOAT32_ROOTS],
]

export const WRAPPED: Row[] = [
  ['ox_lookahead_sgdm', (s) => new Lookahead(new SGD(s.parameters, lr(s.learningRate, { momentum: 0.9 })))],
  ['cautious_adamw', (s) => new Cautious(new AdamW(s.parameters, lr(s.learningRate, { weightDecay: 0.05 })))],
  ['cautious_lion', (s) => new Cautious(new Lion(s.parameters, lr(s.learningRate, { weightDecay: 0.05 })))],
  ['ox_accumulate4_adam', (s) => accumulating(s)],
  ['ox_sam_sgd', (s) => sam(s, new SGD(s.parameters, lr(s.learningRate)))],
  ['ox_sam_adamw', (s) => sam(s, new AdamW(s.parameters, lr(s.learningRate))), CHAOTIC],
  [
    'ox_clip_global_norm_sgd',
    (s) => new SGD(s.parameters, lr(s.learningRate, { gradientTransforms: [clipGlobalNorm(0.5, { epsilon: 0 })] })),
  ],
  ['ox_clip_value_sgd', (s) => new SGD(s.parameters, lr(s.learningRate, { clipValue: 0.1 }))],
  ['ox_agc_sgd', (s) => new SGD(s.parameters, lr(s.learningRate, { gradientTransforms: [adaptiveClip(0.05)] }))],
  ['ox_centralize_adam', (s) => new Adam(s.parameters, lr(s.learningRate, { gradientTransforms: [centralize({ outputAxis: 'first' })] }))],
  ['ox_adamw_warmup_cosine', (s) => warmedUp(s), FLOAT32_SCHEDULE],
]

function sam({ gradient }: Setting, inner: Optimizer): Steppable {
  const optimizer = new SAM(inner)
  return { step: () => optimizer.step(() => void gradient()) }
}

/** Makes gradients add up until a step has used them, as backward() does. */
function accumulating({ parameters, learningRate }: Setting): Steppable {
  const optimizer = new GradientAccumulation(new Adam(parameters, { learningRate }), { every: 4 })
  const sums = parameters.map((p) => new Float64Array(p.size))
  return {
    step() {
      for (const [i, p] of parameters.entries()) {
        const g = p.gradientView()
        for (let k = 0; k < g.length; k++) g[k] = sums[i][k] += g[k]
      }
      optimizer.step()
      if (parameters[0].gradientState === 'used') for (const sum of sums) sum.fill(0)
    },
  }
}

function warmedUp({ parameters, learningRate }: Setting): Steppable {
  const optimizer = new AdamW(parameters)
  const scheduler = new Scheduler(optimizer, warmup(cosine(learningRate, { steps: 90, to: learningRate / 100 }), { steps: 10 }))
  return {
    step() {
      optimizer.step()
      scheduler.step()
    },
  }
}

const kerasMomentum = { momentum: 0.9, epsilonPlacement: 'inside', learningRateInside: true } as const

/** Averaged weights, where the oracle has them. */
export const averages = (made: Steppable) => (made as AveragingOptimizer<object>).averages().flatMap((average) => [...average])
