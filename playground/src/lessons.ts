/** A playable lecture: for each claim a state of a tab, and a sentence that says where to look and why. */
import type { BenchmarkState } from './benchmark/state'
import type { DescentState } from './descent/state'
import { racer } from './descent/state'
import type { FleetState } from './fleet/axes'
import type { PicturesState } from './pictures/state'
import { CONSTANT } from './schedules/choice'
import type { SchedulesState } from './schedules/state'
import type { SeriesState } from './series/state'
import { run, type TrainState } from './train/state'

/** A question before a lesson plays. */
export interface Ask {
  question: string
  answers: readonly string[]
  /** Index of the right answer. */
  right: number
  /** Words of `why` that say so: playground/test/lessons.test.ts tests them. */
  because: string
}

interface Of<Tab extends string, State> {
  title: string
  /** The chapter that begins with this lesson. */
  chapter?: string
  ask?: Ask
  why: string
  /** Words of `why` that are links, with what they change of the state. */
  turns?: Readonly<Record<string, Partial<State>>>
  /** A program to read. */
  loop?: string
  tab: Tab
  state: Partial<State>
}
export type Lesson =
  | Of<'descent', DescentState>
  | Of<'train', TrainState>
  | Of<'schedules', SchedulesState>
  | Of<'fleet', FleetState>
  | Of<'pictures', PicturesState>
  | Of<'series', SeriesState>
  | Of<'benchmark', BenchmarkState>

const at = (method: string, rate: number) => ({ ...racer(method), rate })

/** The racers of the lesson on momentum. */
const momentumAt = (beta: number) => [at('SGD', 0.035), { ...at('Momentum', 0.11), options: { beta } }]

/** The racers of the lesson on Adam. */
const bent = (epsilon?: number) => [
  at('Momentum', 0.002),
  at('RMSProp', 0.02),
  { ...at('Adam', 0.2), options: epsilon === undefined ? {} : { epsilon } },
]

/** The three loops; playground/test/looks.test.ts runs them beside the page's trainings. */
export const LOOPS = {
  batch: `for (let e = 0; e < epochs; e++) {
  loss(net, all).backward()
  // θ ← θ − η·∇J(θ)
  optimizer.step()
}`,
  stochastic: `for (let e = 0; e < epochs; e++) {
  const order = random.permutation(count)
  for (const i of order) {
    loss(net, rows([i])).backward()
    // θ ← θ − η·∇J(θ; xᵢ, yᵢ)
    optimizer.step()
  }
}`,
  miniBatch: `for (let e = 0; e < epochs; e++) {
  const order = random.permutation(count)
  for (let i = 0; i < count; i += 16) {
    const batch = order.slice(i, i + 16)
    loss(net, rows(batch)).backward()
    // θ ← θ − η·∇J(θ; batch)
    optimizer.step()
  }
}`,
} as const

export const LESSONS: readonly Lesson[] = [
  {
    title: 'Gradient descent goes against the gradient',
    chapter: 'Down the gradient',
    ask: {
      question: 'Does it go to the minimum in a straight line?',
      answers: ['Yes', 'No, in a bend'],
      right: 1,
      because: 'at a right angle to the contour line',
    },
    why: 'Backpropagation computes the gradient; an optimization algorithm decides where to go with it. The simplest takes a step against it (the arrow), at a right angle to the contour line, and again, until the ground is level.',
    tab: 'descent',
    state: { condition: 3, racers: [at('SGD', 0.08)], steps: 80, speed: 15 },
  },
  {
    title: 'The learning rate sets the length of the steps',
    ask: {
      question: 'Rates of 0.005, 0.09, 0.195 and 0.205: which of them leave the map?',
      answers: ['None', '0.205', '0.195 and 0.205'],
      right: 1,
      because: 'a larger one leaves the map',
    },
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
    ask: {
      question: 'Can a small move of the start change the minimum that is found?',
      answers: ['Yes', 'No'],
      right: 0,
      because: 'Drag the start a little',
    },
    why: 'Four equal minima. Drag the start a little: near the ridges between them two methods that set out together part.',
    turns: { 'Drag the start a little': { start: [-0.3, -0.8] } },
    tab: 'descent',
    state: { surface: 'himmelblau', start: [0, -0.8], racers: [at('SGD', 0.006), at('Momentum', 0.015), at('Adam', 0.1)], steps: 150 },
  },
  {
    title: 'A ravine: why plain descent is slow',
    ask: {
      question: 'Which direction limits the rate?',
      answers: ['The steep one', 'The flat one'],
      right: 0,
      because: 'The rate must suit the steepest direction',
    },
    why: 'The rate must suit the steepest direction, and is then far too small for the flat one. The condition number, 100 here, says how bad it is: drag it and look, or set it to 10.',
    turns: { 'set it to 10': { condition: 10, racers: [at('SGD', 0.18)] } },
    tab: 'descent',
    state: { condition: 100, start: [-10, 1.5], racers: [at('SGD', 0.0192)], steps: 300, speed: 30, showState: false },
  },
  {
    title: 'Second order: the Hessian knows the way',
    ask: {
      question: "How many steps does Newton's method need on this bowl?",
      answers: ['1', 'About 10', 'About 100'],
      right: 0,
      because: 'one straight step to the bottom',
    },
    why: 'Newton divides by the curvature: one straight step to the bottom. Newton-CG goes there by conjugate gradients, from products with the Hessian alone; L-BFGS learns the curvature from gradients. But the Hessian of a net with n weights has n² numbers, 25 million for the small net on digits in the tab Train: nets are trained by first-order methods.',
    tab: 'descent',
    state: {
      condition: 100,
      start: [-10, 1.5],
      racers: [at('SGD', 0.0192), racer('newton'), racer('newton-cg'), racer('lbfgs')],
      steps: 100,
      speed: 6,
      showState: false,
    },
  },
  {
    title: 'Backpropagation: values forward, gradients back',
    chapter: 'How many rows a step',
    ask: {
      question: 'Which way do the gradients go through a net?',
      answers: ['From the inputs to the loss', 'From the loss back to the inputs'],
      right: 1,
      because: 'from the last layer to the first',
    },
    why: 'One row goes forward: each unit sums its weighted inputs and bends the sum. The loss compares the end with the class of the row. Then gradients come back, from the last layer to the first: that of a weight is what came in times what comes back, a·∂L/∂z. One way back gives the gradient of every weight. What step to take with it, the optimizer decides.',
    tab: 'train',
    state: { hidden: [4, 3], runs: [run('SGD', { rate: 0.3 })], backprop: true, loss: 'train', speed: 2 },
  },
  {
    title: 'Batch gradient descent: all rows in every step',
    ask: {
      question: 'All rows in each step: what will the curve of the loss look like?',
      answers: ['Smooth', 'Jagged'],
      right: 0,
      because: 'The curve is smooth',
    },
    why: 'The curve is smooth, for the gradient is exact. But each step looks at all 210 rows, of which many say the same: half of them give nearly the same gradient, so half of the work is redundant.',
    loop: LOOPS.batch,
    tab: 'train',
    state: { runs: [run('SGD', { batch: 0, rate: 0.3 })], loss: 'batch', speed: 100 },
  },
  {
    title: 'Stochastic gradient descent: one row a step',
    ask: {
      question: 'One row a step: will the loss of the batch fall with each step?',
      answers: ['Yes', 'No, it fluctuates'],
      right: 1,
      because: 'the loss of each row fluctuates',
    },
    why: 'Each step looks at one row in place of 210, and points only roughly downhill: the loss of each row fluctuates, and the net wanders around the minimum rather than into it. The order is new in each epoch: without shuffling, with the rows by class as in many files, it forgets one class while it learns the other.',
    turns: { 'without shuffling': { sorted: true } },
    loop: LOOPS.stochastic,
    tab: 'train',
    state: { runs: [run('SGD', { batch: 1, rate: 0.1 })], loss: 'batch', speed: 1000 },
  },
  {
    title: 'Mini-batches: the middle way',
    ask: {
      question: 'All have seen as many samples. Who has come furthest in training?',
      answers: ['All rows a step', '16 rows a step', '1 row a step'],
      right: 2,
      because: 'Per sample seen, single rows mostly come furthest',
    },
    why: 'All three from the same weights, over the samples they have seen. Per sample seen, single rows mostly come furthest, at a fifth of the rate; per step, all rows do (the table below). Mini-batches have most of both, and take less time for a row than single rows do: switch the axis to steps, and to seconds. Four times the rows halve the noise of a gradient (the last chart). All this is of the loss in training; on test rows the order changes from run to run.',
    turns: { 'to steps': { axis: 'steps' }, 'to seconds': { axis: 'seconds' } },
    loop: LOOPS.miniBatch,
    tab: 'train',
    state: {
      runs: [run('SGD', { batch: 0, rate: 0.5 }), run('SGD', { batch: 16, rate: 0.5 }), run('SGD', { batch: 1, rate: 0.1 })],
      variance: true,
      axis: 'samples',
      loss: 'train',
      speed: 1000,
      chosen: 1,
    },
  },
  {
    title: 'Noise and a constant rate: never quite there',
    ask: {
      question: 'Noisy gradients: which rate ends nearer to the minimum?',
      answers: ['0.2', '0.02'],
      right: 1,
      because: 'the small rate ends nearer',
    },
    why: 'The gradients are disturbed, as those of mini-batches are. At a constant rate descent overshoots for ever, at a distance that the rate sets: the small rate ends nearer, but takes long.',
    tab: 'descent',
    state: { condition: 4, noise: 2.5, racers: [at('SGD', 0.2), at('SGD', 0.02)], steps: 400, speed: 60, showState: false },
  },
  {
    title: 'A schedule: long steps first, short ones last',
    chapter: 'The learning rate over time',
    why: 'Above the rate, below the loss that it causes. The constant rate goes on bouncing; with the step decay and with the cosine the bouncing dies down, and the loss ends lower.',
    tab: 'schedules',
    state: {},
  },
  {
    title: 'Thresholds: when to lower the rate',
    why: 'Here the loss itself decides: once it has not improved by the share τ during a number of steps, the patience, the rate is halved. With a patience of 80 steps noise looks like a plateau, and the rate is gone before the net has learned; with 700 it falls when it should, and the loss in training ends below that of the constant rate. (On test rows another order may come out: look at the table.) Drag the dotted lines, which are the thresholds.',
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
    why: 'A restart throws the net out of the valley where it has settled; it settles again, over twice as many steps, in most runs lower. One cycle warms up, runs hot, and cools once. In training both end below the constant rate in nearly every run, on test rows in most.',
    tab: 'schedules',
    state: {
      // 400, 800 and 1600 steps: the third cosine has come to its end.
      ...{ steps: 2800, method: 'Momentum', rate: 1, seed: 7 },
      choices: [{ ...CONSTANT, kind: 'restarts', steps: 400 }, { ...CONSTANT, kind: 'onecycle', steps: 2800 }, CONSTANT],
    },
  },
  {
    title: 'Which rate? Let it grow until it explodes',
    why: 'Press "Find a learning rate": the rate grows from step to step. The loss stands still, falls, and explodes; choose a rate on the slope. The mark is where half of the fall is behind.',
    tab: 'schedules',
    state: { choices: [CONSTANT], rate: 0.01, steps: 600 },
  },
  {
    title: 'A saddle: level ground that is no minimum',
    chapter: 'Hard places',
    ask: {
      question: 'They start beside a saddle. Who leaves it in the fewest steps?',
      answers: ['Gradient descent', 'Momentum', 'Adam', 'Newton with a trust region'],
      right: 3,
      because: 'the trust region sees the negative eigenvalue at once',
    },
    why: 'At the saddle the gradient vanishes, though lower ground is on both sides. Plain descent slows down and lingers; Momentum at the same rate (its 0.2 is 0.02 in the form that adds gradients up) gathers speed and leaves in half the steps; Adam, whose first steps are as long in either coordinate, goes around; the trust region sees the negative eigenvalue at once. Point at the middle.',
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
    ask: {
      question: 'There is hardly any slope. Who gets to the minimum?',
      answers: ['Descent and Momentum', 'RMSProp and Adam', 'Nobody'],
      right: 1,
      because: 'so they walk',
    },
    why: 'Far out the gradient is 0.005, and a step is the gradient times the rate: plain descent stands still, and so does Momentum. RMSProp and Adam divide by the size of the gradient, so they walk.',
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
    ask: {
      question: 'Who gets out of the dents?',
      answers: ['Momentum', 'Adam', 'None of them'],
      right: 2,
      because: 'ends in the nearest dent',
    },
    why: 'A bowl full of dents. Whoever follows the gradient ends in the nearest dent. Turn the noise up to about 60: gradient descent jumps from dent to dent, as stochastic gradients may; Momentum, which remembers the noise of ten steps, strays further; Adam divides the noise away and stays.',
    turns: { 'Turn the noise up to about 60': { noise: 60 } },
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
    chapter: 'Optimizers',
    ask: {
      question: 'Who is at the minimum first?',
      answers: ['Gradient descent', 'Momentum'],
      right: 1,
      because: 'descent shrinks by only 0.965 along the valley',
    },
    why: 'The arrow is the velocity, V ← βV + (1 − β)·gradient: a heavy ball with friction. Across the ravine it swings less and less, and both directions shrink by √β = 0.87 a step, where descent shrinks by only 0.965 along the valley. Turn β: at 0.95 there is too little friction, and it swings past the minimum; at 0 it is descent, and this rate leaves the map.',
    turns: { 'at 0.95': { racers: momentumAt(0.95) }, 'at 0 it is descent': { racers: momentumAt(0) } },
    tab: 'descent',
    state: { condition: 50, racers: momentumAt(0.75), steps: 150, speed: 20 },
  },
  {
    title: 'RMSProp: each coordinate its own rate',
    ask: {
      question: 'Which direction does RMSProp hold back?',
      answers: ['The steep one', 'The flat one'],
      right: 0,
      because: 'Steps are divided by it',
    },
    why: 'The box shows √S: long in the direction in which gradients have been large. Steps are divided by it, so the steep direction is held back and the flat one is not.',
    tab: 'descent',
    state: { condition: 100, racers: [at('SGD', 0.0185), at('RMSProp', 0.12)], steps: 150, speed: 20 },
  },
  {
    title: 'Adam: momentum and RMSProp together',
    ask: {
      question: 'Who is first along the bent valley?',
      answers: ['Momentum', 'RMSProp', 'Adam'],
      right: 2,
      because: "it takes Momentum's speed",
    },
    why: "Adam keeps both the arrow and the box: a mean of gradients over the root of a mean of squares. On this bent valley it takes Momentum's speed and RMSProp's sense of scale. ε only keeps the division from zero: ten times as large it changes nothing here; at 100 it outweighs √S, and Adam crawls.",
    turns: { 'at 100': { racers: bent(100) } },
    tab: 'descent',
    state: {
      surface: 'rosenbrock',
      start: [-1.2, 1],
      racers: bent(),
      steps: 400,
      speed: 60,
    },
  },
  {
    title: 'Bias correction: the first fifty steps',
    ask: {
      question: 'Without the correction the first step is\u00a0…',
      answers: ['shorter', 'as long', 'about three times as long'],
      right: 2,
      because: 'the first step is 3.2 times as long',
    },
    why: 'V and S begin at 0, and S forgets more slowly than V: without correction the first step is 3.2 times as long, and the next ones are about four times. Uncorrected, Adam flies far over the minimum; corrected, it hardly overshoots.',
    tab: 'descent',
    state: { condition: 20, racers: [at('Adam', 0.3), at('UncorrectedAdam', 0.3)], steps: 50, speed: 8 },
  },
  {
    title: 'The same on a net',
    ask: {
      question: 'Who is ahead for the first thousand steps?',
      answers: ['Gradient descent', 'Adam'],
      right: 1,
      because: 'Adam is ahead for the first thousand steps',
    },
    why: 'Two nets from the same weights on spirals: gradient descent and Adam. In most runs Adam is ahead for the first thousand steps, and descent has caught up after some thousands. Turn a rate while they train: the change is marked on the curve, and you can rewind and try again.',
    tab: 'train',
    state: { data: 'spirals', noise: 0.1, runs: [run('SGD', { rate: 0.3 }), run('Adam', { rate: 0.01 })], chosen: 1, speed: 100, seed: 3 },
  },
  {
    title: 'Hyper-parameters: the learning rate first',
    chapter: 'What to tune, and what went wrong',
    why: 'Each square is a net that was trained with its own rate and β. From left to right nearly everything changes, from bottom to top little, except where the rate is large. Then press "Find out" for all seven: the rate comes first; the rest matter mostly together with it, which the small maps of pairs show: a rate that is fine for many rows a step is too large for few.',
    tab: 'fleet',
    state: {},
  },
  {
    title: 'Then the batch and the units',
    why: 'With the rate fixed at 1 the rest can be told apart: units a layer against rows a step. Each square is a net of its own first weights, so speckles within a block are luck, and only what is larger than they are is an effect: here a few rows are too noisy for so large a rate, and two units are too few.',
    tab: 'fleet',
    state: { x: 'width', y: 'batch', rate: 1 },
  },
  {
    title: 'Why does it stall? Ask the X-ray',
    why: 'Three runs of one net from one start: two stall, and the third learns. The X-ray of the first (below the table) says that its rate is too small, and names one with which the loss falls further in as many steps. Choose the net of the second: its rate is too large, and hardly a unit is left that is not saturated. It finds nothing wrong with the third.',
    turns: { 'Choose the net of the second': { chosen: 1 } },
    tab: 'train',
    state: {
      runs: [run('SGD', { rate: 0.002 }), run('SGD', { rate: 30 }), run('SGD', { rate: 0.3 })],
      loss: 'train',
      speed: 100,
      xray: true,
    },
  },
  {
    title: 'Every start: sharp minima go dark',
    why: 'Each point is a race from there: its color is the minimum that it reaches, lighter the sooner, dark if none. Two of the four minima are dark: their curvature is above 2 divided by the rate. At 0.01 all four have a country. Choose Momentum: the borders fray.',
    turns: { 'At 0.01': { racers: [at('SGD', 0.01), at('Momentum', 0.15)] }, 'Choose Momentum': { chosen: 1 } },
    tab: 'descent',
    state: { surface: 'himmelblau', start: [0, -0.5], racers: [at('SGD', 0.0195), at('Momentum', 0.15)], steps: 150, everyStart: true },
  },
  {
    title: 'The edge of stability: as sharp as the rate allows',
    ask: {
      question: 'Training goes on. How sharp does the loss become where the net stands?',
      answers: ['Ever flatter', 'About 2 divided by the rate', 'Ever sharper'],
      right: 1,
      because: 'it stays near the line',
    },
    why: 'The sharpness is the largest curvature of the loss where the net stands; 2 divided by the rate, dotted, is the most that descent can bear. In nearly every run training makes the loss sharper until it is there. Then it stays near the line, and the loss goes on falling, though no longer in every step. At half the rate the line is twice as high, and the net becomes sharper.',
    tab: 'train',
    state: {
      noise: 0.3,
      runs: [run('SGD', { batch: 0, rate: 1 }), run('SGD', { batch: 0, rate: 0.5 })],
      loss: 'train',
      speed: 100,
      sharpness: true,
    },
  },
  {
    title: 'Pictures: a few small filters, used everywhere',
    chapter: 'Pictures and sequences',
    ask: {
      question: 'How many numbers are eight filters of 5 × 5 pixels, with a bias each?',
      answers: ['208', 'About 2,000', 'About 300,000'],
      right: 0,
      because: '208 numbers',
    },
    why: 'A convolution looks at every place of the picture through the same few filters: 208 numbers, where a dense layer with as many outputs has 308,896. Each filter answers with a map of where it found what it looks for. After some hundred steps the net names about nine in ten digits that it never saw. Move the digit by two pixels: the maps move with it, and the answer mostly stays. Or draw a digit, and point at a map to see where it is lit.',
    turns: { 'Move the digit by two pixels': { shift: 2 } },
    tab: 'pictures',
    state: {},
  },
  {
    title: 'Why this digit? The evidence adds up',
    why: 'The score of a class is the mean of its evidence over all places, and a bias: blue speaks for the class, orange against it. Once it has learned, most digits have more evidence for their own class than for any other. Ask for the evidence for a 4 in this 9, and look at one that it gets wrong: the map says which strokes misled it.',
    turns: { 'Ask for the evidence for a 4': { asked: 4 } },
    tab: 'pictures',
    state: { digit: 9 },
  },
  {
    title: 'A sequence: gates that open and shut with the wave',
    ask: {
      question: 'The net sees 32 values of a wave, and then its own answers alone. Can it go on?',
      answers: ['Yes, once it has learned', 'No, it fades'],
      right: 0,
      because: 'it goes on with the wave',
    },
    why: 'A GRU reads the wave value by value and learns to tell the next one. Then it is alone, and its answers are its inputs: before it has learned they are a flat line; after a few hundred steps it goes on with the wave. The rows are its gates. At first all stand half open; then they open and shut with the wave, most of them once in each period.',
    tab: 'series',
    state: {},
  },
]

/** A text cut at these parts, each of which it has once. */
export function pieces(text: string, parts: readonly string[]): string[] {
  return parts.reduce<string[]>(
    (cut, part) =>
      cut.flatMap((piece) => {
        const at = parts.includes(piece) ? -1 : piece.indexOf(part)
        return at < 0 ? [piece] : [piece.slice(0, at), part, piece.slice(at + part.length)]
      }),
    [text],
  )
}
