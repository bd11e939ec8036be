/** A playable lecture: for each claim a state of a tab, and a sentence that says where to look and why. */
import type { BenchmarkState } from './benchmark/state'
import type { DescentState } from './descent/state'
import { racer } from './descent/state'
import type { FleetState } from './fleet/axes'
import { CONSTANT } from './schedules/choice'
import type { SchedulesState } from './schedules/state'
import { run, type TrainState } from './train/state'

interface Of<Tab extends string, State> {
  title: string
  why: string
  tab: Tab
  state: Partial<State>
}
export type Lesson =
  | Of<'descent', DescentState>
  | Of<'train', TrainState>
  | Of<'schedules', SchedulesState>
  | Of<'fleet', FleetState>
  | Of<'benchmark', BenchmarkState>

const at = (method: string, rate: number) => ({ ...racer(method), rate })

export const LESSONS: readonly Lesson[] = [
  {
    title: 'Gradient descent goes against the gradient',
    why: 'Backpropagation computes the gradient; an optimization algorithm decides where to go with it. The simplest takes a step against it, and again, until the ground is level.',
    tab: 'descent',
    state: { condition: 3, racers: [at('SGD', 0.08)], steps: 80, speed: 15, showState: false },
  },
  {
    title: 'The learning rate sets the length of the steps',
    why: 'Four times the same method: too small a rate crawls, a good one arrives, a large one bounces between the walls, and a larger one leaves the map. The limit is 2 divided by the largest curvature.',
    tab: 'descent',
    state: {
      condition: 10,
      racers: [at('SGD', 0.005), at('SGD', 0.09), at('SGD', 0.195), at('SGD', 0.205)],
      steps: 80,
      speed: 12,
      showState: false,
    },
  },
  {
    title: 'Which minimum is found depends on the start',
    why: 'Four equal minima. Drag the start a little: near the ridges between them two methods that set out together part.',
    tab: 'descent',
    state: { surface: 'himmelblau', start: [0, -0.8], racers: [at('SGD', 0.006), at('Momentum', 0.015), at('Adam', 0.1)], steps: 150 },
  },
  {
    title: 'A ravine: why plain descent is slow',
    why: 'The rate must suit the steepest direction, and is then far too small for the flat one. The condition number, 100 here, says how bad it is: drag it and look.',
    tab: 'descent',
    state: { condition: 100, start: [-10, 1.5], racers: [at('SGD', 0.0192)], steps: 300, speed: 30, showState: false },
  },
  {
    title: 'Second order: the Hessian knows the way',
    why: 'Newton divides by the curvature and crosses the ravine in a step or two; L-BFGS learns the curvature from gradients. But the Hessian of a net with n weights has n² numbers, 25 million for a small net on digits, and the noise of mini-batches spoils what such methods learn: nets are trained by first-order methods.',
    tab: 'descent',
    state: {
      condition: 100,
      start: [-10, 1.5],
      racers: [at('SGD', 0.0192), racer('newton-cg'), racer('lbfgs'), racer('cg')],
      steps: 100,
      speed: 6,
      showState: false,
    },
  },
  {
    title: 'Batch gradient descent: all rows in every step',
    why: 'The curve is smooth, for the gradient is exact. But each step looks at all 210 rows, most of which say the same: much of that work is redundant.',
    tab: 'train',
    state: { runs: [run('SGD', { batch: 0, rate: 0.3 })], loss: 'batch', speed: 100 },
  },
  {
    title: 'Stochastic gradient descent: one row a step',
    why: 'Each step is 210 times as cheap, and points only roughly downhill: the loss of each row fluctuates, and the net wanders around the minimum rather than into it.',
    tab: 'train',
    state: { runs: [run('SGD', { batch: 1, rate: 0.1 })], loss: 'batch', speed: 1000 },
  },
  {
    title: 'Mini-batches: the middle way',
    why: 'All three from the same weights, over the samples they have seen. Per sample seen, single rows mostly come furthest, but need a fifth of the rate to bear their noise; per step, all rows do (the table below). Mini-batches have most of both, and products of matrices are where processors are fast. Switch the axis to steps, and to seconds.',
    tab: 'train',
    state: {
      runs: [run('SGD', { batch: 0, rate: 0.5 }), run('SGD', { batch: 16, rate: 0.5 }), run('SGD', { batch: 1, rate: 0.1 })],
      axis: 'samples',
      loss: 'train',
      speed: 1000,
      chosen: 1,
    },
  },
  {
    title: 'Noise and a constant rate: never quite there',
    why: 'The gradients are disturbed, as those of mini-batches are. At a constant rate descent overshoots for ever, at a distance that the rate sets: the small rate ends nearer, but takes long.',
    tab: 'descent',
    state: { condition: 4, noise: 2.5, racers: [at('SGD', 0.2), at('SGD', 0.02)], steps: 400, speed: 60, showState: false },
  },
  {
    title: 'A schedule: long steps first, short ones last',
    why: 'Above the rate, below the loss that it causes. The constant rate goes on bouncing; where the step decay drops, the loss drops with it; the cosine does it gently.',
    tab: 'schedules',
    state: {},
  },
  {
    title: 'Thresholds: when to lower the rate',
    why: 'Here the loss itself decides: once it has not improved by the share τ for so many steps, the rate is halved. With a patience of 80 steps noise looks like a plateau, and the rate is gone before the net has learned; with 700 it falls when it should, and the loss ends below that of the constant rate, which bounces on. (This is the loss in training; on test rows early stops may even help.) Drag the dotted lines, which are the thresholds.',
    tab: 'schedules',
    state: {
      ...{ steps: 5000, rate: 1, seed: 8 },
      choices: [
        { ...CONSTANT, kind: 'plateau', steps: 700, factor: 0.5, threshold: 0.01 },
        { ...CONSTANT, kind: 'plateau', steps: 80, factor: 0.5, threshold: 0.01 },
        CONSTANT,
      ],
    },
  },
  {
    title: 'Warm restarts and one cycle',
    why: 'Restarts throw the net out of a bad valley and let it settle again, each time for longer. One cycle warms up, runs hot, and cools once.',
    tab: 'schedules',
    state: {
      // 400, 800 and 1600 steps: the third cosine has come to its end.
      steps: 2800,
      method: 'Momentum',
      rate: 1,
      choices: [{ ...CONSTANT, kind: 'restarts', steps: 400 }, { ...CONSTANT, kind: 'onecycle', steps: 2800 }, CONSTANT],
    },
  },
  {
    title: 'Which rate? Let it grow until it explodes',
    why: 'Press "Find a learning rate": the rate grows from step to step. The loss stands still, falls, and explodes; choose a rate on the slope.',
    tab: 'schedules',
    state: { choices: [CONSTANT], rate: 0.01, steps: 600 },
  },
  {
    title: 'A saddle: level ground that is no minimum',
    why: 'At the saddle the gradient vanishes, though lower ground is on both sides. Plain descent slows down and lingers; Momentum bears a rate ten times as large and passes; Adam goes around; the trust region sees the negative eigenvalue at once. Point at the middle.',
    tab: 'descent',
    state: {
      surface: 'saddle',
      start: [2, 0.001],
      racers: [at('SGD', 0.02), at('Momentum', 0.2), at('Adam', 0.02), racer('trust-ncg')],
      steps: 400,
      speed: 50,
    },
  },
  {
    title: 'A plateau: hardly any slope',
    why: 'Far out the gradient is 0.005, and a step is the gradient times the rate: plain descent stands still. RMSProp and Adam divide by the size of the gradient, so they walk.',
    tab: 'descent',
    state: {
      surface: 'plateau',
      start: [-3.5, 1],
      racers: [at('SGD', 0.1), at('Momentum', 0.25), at('RMSProp', 0.02), at('Adam', 0.05)],
      steps: 300,
      speed: 40,
    },
  },
  {
    title: 'Local minima trap those who only go down',
    why: 'A bowl full of dents. Whoever follows the gradient ends in the nearest dent. Turn the noise up to about 60: gradient descent jumps from dent to dent, as stochastic gradients may, and Momentum, whose rate is ten times as large, strays over all of the map; Adam divides the noise away and stays.',
    tab: 'descent',
    state: {
      surface: 'rastrigin',
      start: [-2.2, 1.7],
      racers: [at('SGD', 0.003), at('Momentum', 0.03), at('Adam', 0.05)],
      noise: 0,
      steps: 400,
      speed: 60,
    },
  },
  {
    title: 'Momentum: a velocity with friction',
    why: 'The arrow is the velocity, V ← βV + (1 − β)·gradient: a heavy ball with friction. It swings across the ravine, but both directions now shrink by √β a step, where descent shrinks by only 0.965 along the valley. That is why momentum wins here.',
    tab: 'descent',
    state: { condition: 50, racers: [at('SGD', 0.035), at('Momentum', 0.12)], steps: 150, speed: 20 },
  },
  {
    title: 'RMSProp: each coordinate its own rate',
    why: 'The box shows √S: long in the direction in which gradients have been large. Steps are divided by it, so the steep direction is held back and the flat one is not.',
    tab: 'descent',
    state: { condition: 100, racers: [at('SGD', 0.0185), at('RMSProp', 0.12)], steps: 150, speed: 20 },
  },
  {
    title: 'Adam: momentum and RMSProp together',
    why: "Adam keeps both the arrow and the box: a mean of gradients over the root of a mean of squares. On this bent valley it takes Momentum's speed and RMSProp's sense of scale.",
    tab: 'descent',
    state: {
      surface: 'rosenbrock',
      start: [-1.2, 1],
      racers: [at('Momentum', 0.002), at('RMSProp', 0.02), at('Adam', 0.2)],
      steps: 400,
      speed: 60,
    },
  },
  {
    title: 'Bias correction: the first fifty steps',
    why: 'V and S begin at 0, and S forgets more slowly than V: without correction the first step is three times too long, and six times after ten steps: it shoots over the minimum. Corrected, Adam walks in.',
    tab: 'descent',
    state: { condition: 20, racers: [at('Adam', 0.8), at('UncorrectedAdam', 0.8)], steps: 50, speed: 8 },
  },
  {
    title: 'The same on a net',
    why: 'Two nets from the same weights on spirals: gradient descent and Adam. In most runs Adam is ahead for the first thousand steps, and descent has caught up after some thousands. Turn a rate while they train: the change is marked on the curve, and you can rewind and try again.',
    tab: 'train',
    state: { data: 'spirals', noise: 0.1, runs: [run('SGD', { rate: 0.3 }), run('Adam', { rate: 0.01 })], chosen: 1, speed: 100, seed: 3 },
  },
  {
    title: 'Hyper-parameters: the learning rate first',
    why: 'Each square is a net that was trained with its own rate and β. From left to right nearly everything changes, from bottom to top little, except where the rate is large. Then press "Find out" for all six: the rate comes first; the rest matter mostly together with it, which single shares do not show.',
    tab: 'fleet',
    state: {},
  },
  {
    title: 'Then momentum, batch and units',
    why: 'With the rate fixed at 1 the rest can be told apart: units a layer against rows a step. Each square is a net of its own first weights, so speckles within a block are luck, and only what is larger than they are is an effect: here a few rows are too noisy for so large a rate, and two units are too few.',
    tab: 'fleet',
    state: { x: 'width', y: 'batch', rate: 1 },
  },
]
