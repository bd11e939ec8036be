/** Old names of options: they do what the new name does, warn once, and never win over the new one. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { finite, withNewNames } from '../../ts/common/options.js'
import { trainTestSplit } from '../../ts/data/index.js'
import {
  Checkpoint,
  type CheckpointOptions,
  crossValidate,
  Dense,
  Ensemble,
  findLearningRate,
  fit,
  fitMany,
  type History,
  load,
  type Module,
  mse,
  Sequential,
  SGD,
  TargetLoss,
} from '../../ts/index.js'
import { BFGS, fitCurve, KFAC, LBFGS, LevenbergMarquardt, levenbergMarquardt, minimize } from '../../ts/solve/index.js'
import { prepareTable } from '../../ts/table/index.js'
import { asha, cmaEs, type HyperbandOptions, hyperband, median, nsga2, tpe } from '../../ts/tune/index.js'

beforeAll(() => load())

const DATA = {
  inputs: Array.from({ length: 40 }, (_, i) => [i / 40, 1 - i / 20]),
  targets: Array.from({ length: 40 }, (_, i) => [i % 2, i % 3]),
}

const ROWS = Array.from({ length: 60 }, (_, i) => ({ x: i, z: (i * 7) % 11, y: (i * i) / 100 + 0.5 }))

/** The numbers in the history of a training, without times. */
function numbersOf({ epochs }: Pick<History, 'epochs'>) {
  return epochs.map(({ loss, validation }) => ({ loss, validation }))
}

function curve(options: object) {
  return fitCurve((x, [a]) => a * x * x, [1, 2, 3], [1, 5, 9], { initial: [0.2], ...options })
}

/** A training of a small net by `train`, as its numbers. */
function trained(train: typeof fit) {
  return async (options: object) => {
    const model: Module = net()
    return numbersOf(await train(model, { ...DATA, loss: mse, optimizer: new SGD(model.parameters()), ...options }))
  }
}

/** The effect of an option: a result that differs between its two values. Named as `old: new`. */
const RENAMED: readonly [string, old: string, now: string, values: readonly unknown[], run: (options: object) => unknown][] = [
  ['minimize', 'tolerance', 'gradientTolerance', [1e-12, 10], (options) => minimize(([x]) => (x - 3) ** 4, [0], options)],
  ['levenbergMarquardt', 'tolerance', 'gradientTolerance', [1e-12, 1], (o) => levenbergMarquardt(([x]) => [x ** 2 - 3, x], [1], o)],
  ['fitCurve', 'tolerance', 'gradientTolerance', [1e-12, 1], curve],
  ['LBFGS', 'toleranceGradient', 'gradientTolerance', [1, 2], (options) => new LBFGS(net().parameters(), options).options],
  ['LBFGS', 'toleranceChange', 'changeTolerance', [1, 2], (options) => new LBFGS(net().parameters(), options).options],
  ['BFGS', 'toleranceChange', 'valueTolerance', [1, 2], (options) => new BFGS(net().parameters(), options).options],
  ['LevenbergMarquardt', 'toleranceChange', 'stepTolerance', [1, 2], (options) => new LevenbergMarquardt(net(), options).options],
  ['KFAC', 'toleranceGradient', 'gradientTolerance', [1, 2], (options) => new KFAC(net(), options).options],
  ['levenbergMarquardt', 'targetValue', 'target', [0, 10], (options) => levenbergMarquardt(([x]) => [x - 3, x], [1], options)],
  ['LevenbergMarquardt', 'targetLoss', 'target', [1, 2], (options) => new LevenbergMarquardt(net(), options).options],
  [
    ...(['findLearningRate', 'stopAt', 'divergenceFactor', [1.01, 50]] as const),
    async (options) => {
      const model = net()
      const optimizer = new SGD(model.parameters())
      return (await findLearningRate(model, { ...DATA, loss: mse, optimizer, ...options })).losses
    },
  ],
  ['fit', 'validationSplit', 'validationFraction', [0.2, 0.5], trained(fit)],
  [
    ...(['fitMany', 'validationSplit', 'validationFraction', [0.2, 0.5]] as const),
    async (options) => {
      const models = [net()]
      const own = { optimizers: models.map((model) => new SGD(model.parameters())) }
      return (await fitMany(models, { ...DATA, loss: mse, ...own, ...options })).map(numbersOf)
    },
  ],
  [
    ...(['crossValidate', 'validationSplit', 'validationFraction', [0.2, 0.5]] as const),
    async (options) => {
      const build = () => {
        const model = net()
        return { model, optimizer: new SGD(model.parameters()) }
      }
      return (await crossValidate(build, { ...DATA, loss: mse, ...options })).folds.map(({ history }) => numbersOf(history))
    },
  ],
  [
    ...(['prepareTable', 'heldFraction', 'validationFraction', [0.2, 0.5]] as const),
    async (options) => (await prepareTable(ROWS, { target: 'y', ...options })).train.inputs.length,
  ],
  ['minimize', 'callback', 'onIteration', [() => false, () => true], (options) => minimize(([x]) => (x - 3) ** 4, [0], options)],
  ['fitCurve', 'callback', 'onIteration', [() => false, () => true], curve],
  [...(['trainTestSplit', 'time', 'splitBy', ['x', 'z']] as const), (options) => trainTestSplit(ROWS, { testFraction: 0.3, ...options })],
  [
    ...(['Ensemble.select', 'most', 'maxMembers', [1, 2]] as const),
    (options) => Ensemble.select([net(1), net(2), net(3)], DATA, { loss: mse, ...options }).members.length,
  ],
]

function net(seed = 1) {
  return new Sequential([new Dense(2, 2)], { seed })
}

/** The result of `run`, with its warnings. */
async function watched<T>(run: () => T): Promise<{ result: Awaited<T>; warnings: string[] }> {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  try {
    return { result: await run(), warnings: warn.mock.calls.map(String) }
  } finally {
    warn.mockRestore()
  }
}

describe.each(RENAMED)('%s: %s is %s now', (owner, old, now, values, run) => {
  test('the old name does the same, with one warning', async () => {
    const before = await watched(() => values.map((value) => run({ [old]: value })))
    const again = await watched(() => run({ [old]: values[0] }))
    const after = await watched(() => values.map((value) => run({ [now]: value })))
    const [a, b, c, d] = await Promise.all([...before.result, ...after.result])
    expect([a, b]).toEqual([c, d])
    expect(c).not.toEqual(d)
    expect(before.warnings).toEqual([
      `gradus: ${owner}: the option '${old}' is called '${now}' now; its old name goes with the next version`,
    ])
    expect([...again.warnings, ...after.warnings]).toEqual([])
  })

  test('both names are an error', async () => {
    const both = `${owner}: '${old}' is the old name of '${now}', and both are there; leave out '${old}'`
    await expect((async () => run({ [old]: values[0], [now]: values[0] }))()).rejects.toThrow(both)
  })
})

/** Options whose values are checked at once: a wrong value of an old name is an error about the new one. */
const CHECKED: readonly [string, make: (options: object) => unknown, renames: Record<string, string>][] = [
  ['tpe', tpe, { startup: 'startupTrials', candidates: 'eiCandidates', good: 'gamma' }],
  ['nsga2', nsga2, { population: 'populationSize', mutation: 'mutationProb', crossover: 'crossoverProb', swap: 'swappingProb' }],
  ['cmaEs', cmaEs, { startup: 'startupTrials', sigma: 'sigma0', population: 'populationSize' }],
  ['median', median, { startup: 'startupTrials', warmup: 'warmupSteps', interval: 'intervalSteps', least: 'minTrials' }],
  ['asha', asha, { least: 'minResource', reduction: 'reductionFactor', startup: 'startupTrials' }],
  ['hyperband', (options) => hyperband({ maxResource: 9, ...options }), { least: 'minResource', reduction: 'reductionFactor' }],
  ['hyperband', (options) => hyperband(options as HyperbandOptions), { most: 'maxResource' }],
]

describe.each(CHECKED)('%s has the words of Optuna', (owner, make, renames) => {
  test.each(Object.entries(renames))('%s is %s now', async (old, now) => {
    const { warnings } = await watched(() => expect(() => make({ [old]: -1 })).toThrow(`${owner}: ${now} wants`))
    expect(warnings).toHaveLength(1)
  })
})

test('TargetLoss takes a number for one version more', async () => {
  const { result, warnings } = await watched(() => new TargetLoss(0.1, 'validation.loss'))
  expect(result).toEqual(new TargetLoss({ target: 0.1, monitor: 'validation.loss' }))
  expect(warnings).toHaveLength(1)
  expect(() => new TargetLoss({ traget: 1 } as never)).toThrow('did you mean target?')
})

test('Checkpoint takes epochs, steps and minutes beside every for one version more', async () => {
  const { result, warnings } = await watched(
    () => new Checkpoint('run.safetensors', { steps: 5, minutes: 2, keep: 3 } as CheckpointOptions),
  )
  expect(String(warnings)).toContain('Checkpoint: steps, minutes are in every now, { every: { steps: … } }')
  const { savesEvery } = new Checkpoint('run.safetensors', { every: { steps: 5, minutes: 2 }, keep: 3 })
  expect([result.savesEvery, savesEvery]).toEqual([5, 5])
  expect(() => new Checkpoint('run.safetensors', { steps: 0 } as CheckpointOptions)).toThrow('Checkpoint: every: steps wants')
  const both = { steps: 1, every: { steps: 1 } } as CheckpointOptions
  expect(() => new Checkpoint('run.safetensors', both)).toThrow('Checkpoint: steps and every are there; put all into every')
})

test('an optimizer state with old names loads without a warning', async () => {
  const optimizer = new LBFGS(net().parameters(), { changeTolerance: 0.5 })
  const { changeTolerance: toleranceChange, ...options } = optimizer.state().options
  const other = new LBFGS(net().parameters())
  const { warnings } = await watched(() => other.loadState({ ...optimizer.state(), options: { ...options, toleranceChange } }))
  expect(other.options.changeTolerance).toBe(0.5)
  expect(warnings).toEqual([])
})

test('options without an old name are returned as they are', () => {
  const options = { speed: 1, rate: 2 }
  expect(withNewNames('f', options, { rate: { is: finite } }, ['speed'])).toBe(options)
})
