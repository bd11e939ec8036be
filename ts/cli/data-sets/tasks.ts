/** The tasks of `gradus train`: sources of the data, and suitable settings. */
import { iris, loadMnist, moons, type Split, spirals, standardize, trainTestSplit } from '../../data/index.js'
import type { ActivationName } from '../../index.js'
import type { ScheduleName } from './schedules.js'

/** Settings of a net and its training. */
export interface Settings {
  hidden: readonly number[]
  activation: ActivationName
  epochs: number
  batchSize: number
  learningRate: number
  schedule: ScheduleName
}

export interface Task {
  readonly name: TaskName
  /** One line for --help. */
  readonly about: string
  readonly plural: string
  /** Settings that fit the task; options replace them. The learning rate is for Adam and its relatives. */
  readonly defaults: Settings
  /** Number of steps for the comparison of WASM and JS; a multiple of 20. */
  readonly compareSteps: number
  load(seed: number, directory?: string): Promise<Split>
}

export const TASK_NAMES = ['mnist', 'iris', 'spirals', 'moons'] as const
export type TaskName = (typeof TASK_NAMES)[number]

const SMALL = { activation: 'relu', learningRate: 0.01, schedule: 'cosine' } as const

export const TASKS: Readonly<Record<TaskName, Task>> = {
  mnist: {
    name: 'mnist',
    about: '70,000 handwritten digits of 28 × 28 pixels',
    plural: 'digits',
    defaults: { hidden: [128], activation: 'silu', epochs: 5, batchSize: 64, learningRate: 0.004, schedule: 'linear' },
    compareSteps: 300,
    load: (_, directory) => loadMnist(directory === undefined ? {} : { directory }),
  },
  iris: {
    name: 'iris',
    about: '150 flowers of three species, four lengths each',
    plural: 'flowers',
    defaults: { ...SMALL, hidden: [8], activation: 'tanh', epochs: 60, batchSize: 16 },
    compareSteps: 5000,
    load: async (seed) => standardize(trainTestSplit(iris(), { seed, testFraction: 0.2 })),
  },
  spirals: {
    name: 'spirals',
    about: 'three arms in the plane that wind around each other',
    plural: 'points',
    defaults: { hidden: [32, 32], epochs: 60, batchSize: 32, ...SMALL },
    compareSteps: 5000,
    load: async (seed) => trainTestSplit(spirals({ count: 1500, seed }), { seed }),
  },
  moons: {
    name: 'moons',
    about: 'two half circles in the plane that reach into each other',
    plural: 'points',
    defaults: { hidden: [16, 16], epochs: 30, batchSize: 32, ...SMALL },
    compareSteps: 5000,
    load: async (seed) => trainTestSplit(moons({ count: 1000, noise: 0.15, seed }), { seed }),
  },
}
