/** Descriptions of optimizers, and rates that suit them here. Others of the library can be chosen as well: methods.ts. */

export interface Method {
  /** The class of gradus, or a method of its `minimize`. */
  id: string
  label: string
  /** First order: one gradient a step. Second order: curvature as well, of the whole set. */
  order: 1 | 2
  /** A learning rate that suits the functions of the Descent tab, and one for small nets; none if the method finds its own step. */
  rate: number | null
  netRate: number
  /** Its state to draw: a velocity, or for `gradient` its gradient, as an arrow; mean squares as a box. */
  velocity?: string
  squares?: string
  /** Fractions of its averages that it keeps at each step, by the names of its options. */
  decays?: Readonly<Record<string, number>>
  /** True if one can turn its ε, which is added to the roots that it divides by. */
  hasEpsilon?: boolean
  /** True if its steps are proportional to the gradient, so that the rate has to suit the function. */
  isScaled?: boolean
  /** In one sentence. */
  says: string
}

export const first = (
  id: string,
  label: string,
  rate: number,
  netRate: number,
  says: string,
  state: Pick<Method, 'velocity' | 'squares' | 'decays' | 'hasEpsilon'> = {},
): Method => ({
  ...{ id, label, order: 1, rate, netRate, says },
  ...state,
})
const second = (id: string, label: string, says: string): Method => ({ id, label, order: 2, rate: null, netRate: 0, says })

const ADAM = { velocity: 'm', squares: 'v' }
const TURNABLE_ADAM = { ...ADAM, decays: { beta1: 0.9, beta2: 0.999 }, hasEpsilon: true }

export const SCALED = new Set(['SGD', 'Momentum', 'Nesterov', 'ASGD', 'ScheduleFreeSGD'])

export const KNOWN: readonly Method[] = [
  first('SGD', 'Gradient descent', 0.02, 0.3, 'A step against the gradient, as long as the learning rate says.', { velocity: 'gradient' }),
  first('Momentum', 'Momentum', 0.05, 0.5, 'A velocity that remembers past gradients, with friction: zigzags cancel.', {
    velocity: 'momentum',
    decays: { beta: 0.9 },
  }),
  first('Nesterov', 'Nesterov', 0.02, 0.2, 'Momentum that looks at the slope where it is about to be.', {
    velocity: 'momentum',
    decays: { momentum: 0.9 },
  }),
  first('RMSProp', 'RMSProp', 0.02, 0.01, 'Divides each coordinate by the usual size of its gradient.', {
    squares: 'square',
    decays: { beta: 0.99 },
    hasEpsilon: true,
  }),
  first('Adam', 'Adam', 0.05, 0.02, 'Momentum and RMSProp together, corrected for starting at nothing.', TURNABLE_ADAM),
  first('UncorrectedAdam', 'Adam, uncorrected', 0.05, 0.02, 'Adam without bias correction: its first steps are too long.', TURNABLE_ADAM),
  first('AdamW', 'AdamW', 0.05, 0.02, 'Adam with weight decay apart from the gradient.', TURNABLE_ADAM),
  first('NAdam', 'NAdam', 0.05, 0.02, "Adam with Nesterov's look ahead.", ADAM),
  first('RAdam', 'RAdam', 0.05, 0.02, 'Adam that waits until it trusts its mean squares.', ADAM),
  first('Adamax', 'Adamax', 0.05, 0.02, 'Adam with the largest gradient in place of the mean square.'),
  first('Adagrad', 'Adagrad', 0.3, 0.1, 'Divides by the root of all squares so far: steps only get shorter.', { squares: 'sum' }),
  first('Adadelta', 'Adadelta', 1, 1, 'Scales steps by the usual size of past steps.', { squares: 'square' }),
  first('AdaBelief', 'AdaBelief', 0.05, 0.02, 'Short steps where the gradient surprises.', { velocity: 'm', squares: 's' }),
  first('Yogi', 'Yogi', 0.05, 0.02, 'Adam whose mean square moves by bounded amounts.', ADAM),
  first('Lion', 'Lion', 0.02, 0.003, 'The sign of a momentum: every coordinate moves by the same amount.', { velocity: 'm' }),
  first('SignSGD', 'SignSGD', 0.02, 0.003, 'The sign of the gradient.'),
  first('Signum', 'Signum', 0.02, 0.003, 'The sign of the momentum.'),
  first('Rprop', 'Rprop', 0.05, 0.01, 'A step size for each coordinate that grows while the sign stays.'),
  first('Adan', 'Adan', 0.05, 0.02, 'Adam with the change of gradients as well.'),
  first('AdEMAMix', 'AdEMAMix', 0.02, 0.01, 'Adam with a second, much longer memory.'),
  first('ADOPT', 'ADOPT', 0.05, 0.02, 'Adam that divides by the mean square of the step before.', ADAM),
  first('ASGD', 'ASGD', 0.02, 0.3, 'Gradient descent whose average is the answer.'),
  first('DoG', 'DoG', 1, 1, 'No rate: the distance travelled over the gradients seen.'),
  first('Prodigy', 'Prodigy', 1, 1, 'Adam that estimates its own rate.'),
  first('ScheduleFreeSGD', 'Schedule-free SGD', 0.05, 0.5, 'Averages in place of a schedule.'),
  first('ScheduleFreeAdamW', 'Schedule-free AdamW', 0.05, 0.02, 'Averages in place of a schedule, with Adam.'),
  first('LAMB', 'LAMB', 0.1, 0.05, 'Adam whose step is as long as a share of the weights of each layer.', ADAM),
  first('LARS', 'LARS', 0.5, 0.5, 'Momentum whose step is a share of the weights of each layer.'),
  first('Adafactor', 'Adafactor', 0.1, 0.05, 'RMSProp that keeps mean squares of rows and columns alone.'),
  first('Muon', 'Muon', 0.05, 0.02, 'Turns the momentum of each matrix into an orthogonal one; on a plain vector it is Adam.'),
  first('Shampoo', 'Shampoo', 0.5, 0.3, 'Divides a gradient by the roots of what its rows and its columns have been like together.'),
  first('SOAP', 'SOAP', 0.1, 0.02, "Adam in the directions that Shampoo's matrices single out."),
  first('SparseAdam', 'SparseAdam', 0.05, 0.02, 'Adam for rows that seldom have gradients; where all have one, it is Adam.'),
  second('gradient-descent', 'Steepest descent, line search', 'Gradient descent that searches for the best length of each step.'),
  second('cg', 'Conjugate gradient', 'Directions that do not undo each other.'),
  second('lbfgs', 'L-BFGS', 'Learns the curvature from the last ten gradients.'),
  second('bfgs', 'BFGS', 'Learns the curvature from all gradients so far.'),
  second('newton', 'Newton', 'Solves H·d = −g with the whole Hessian H: on a bowl one straight step to the minimum.'),
  second('newton-cg', 'Newton-CG', "Solves Newton's system by a few conjugate gradients, from products with H alone: for many numbers."),
  second('trust-ncg', 'Newton, trust region', 'Newton within a distance that it trusts: leaves saddles.'),
]
