/** Learning-rate schedules by name, with the two or three numbers that shape them. */

export type ScheduleKind = 'constant' | 'step' | 'exponential' | 'inverse' | 'cosine' | 'warmup' | 'restarts' | 'onecycle' | 'plateau'

export interface ScheduleChoice {
  kind: ScheduleKind
  /** Steps of a whole run, of a cycle, or between drops. */
  steps: number
  /** Factor of a drop. */
  factor: number
  /** For a plateau: the improvement of the loss that counts, as a share of the best loss. */
  threshold: number
}

export const CONSTANT: ScheduleChoice = { kind: 'constant', steps: 500, factor: 0.5, threshold: 0.01 }

export interface ScheduleFacts {
  kind: ScheduleKind
  label: string
  formula: string
  says: string
  /** The numbers that it has. */
  has: readonly ('steps' | 'factor' | 'threshold')[]
}

export const SCHEDULES: readonly ScheduleFacts[] = [
  {
    kind: 'constant',
    label: 'Constant',
    formula: 'η(t) = η₀',
    says: 'The same rate for ever: it bounces around the minimum at a distance that η sets.',
    has: [],
  },
  {
    kind: 'step',
    label: 'Step decay',
    formula: 'η(t) = η₀ · fᵏ,  k = ⌊t / s⌋',
    says: 'A drop every s steps; the loss drops with it.',
    has: ['steps', 'factor'],
  },
  {
    kind: 'exponential',
    label: 'Exponential',
    formula: 'η(t) = η₀ · f^(t / s)',
    says: 'The same share less each step.',
    has: ['steps', 'factor'],
  },
  {
    kind: 'inverse',
    label: 'Inverse time',
    formula: 'η(t) = η₀ / (1 + t / s)',
    says: 'The classical rate that makes stochastic descent converge.',
    has: ['steps'],
  },
  {
    kind: 'cosine',
    label: 'Cosine',
    formula: 'η(t) = η₀ · (1 + cos(π t / s)) / 2',
    says: 'Long steps first, then gently to nothing.',
    has: ['steps'],
  },
  {
    kind: 'warmup',
    label: 'Warm-up, cosine',
    formula: 'η₀ · t / (s/10), then cosine',
    says: 'Starts small while the averages of Adam are young.',
    has: ['steps'],
  },
  {
    kind: 'restarts',
    label: 'Warm restarts',
    formula: 'cosine over s, 2s, 4s … steps',
    says: 'Cosine that begins again: each restart may leave a bad valley.',
    has: ['steps'],
  },
  { kind: 'onecycle', label: 'One cycle', formula: 'up over 0.3 s, down over 0.7 s', says: 'Up to a peak and down once.', has: ['steps'] },
  {
    kind: 'plateau',
    label: 'On a plateau',
    formula: 'η ← f · η after s steps without a loss below (1 − τ) · best',
    says: 'Waits for the loss to stall; the threshold τ says what stalling is.',
    has: ['steps', 'factor', 'threshold'],
  },
]

export const scheduleFacts = (kind: string): ScheduleFacts => SCHEDULES.find((facts) => facts.kind === kind) ?? SCHEDULES[0]
