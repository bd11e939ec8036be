/** The course of a training: figures that several rules use, and whether its steps were too small or too large. */
import type { XrayLayer, XrayReport, XraySample } from './report.js'

/** Figures of a whole training. */
export interface Course {
  report: XrayReport
  samples: readonly XraySample[]
  last: XraySample | undefined
  /** Layers but the last one, with their numbers. */
  hidden: readonly { layer: XrayLayer; i: number }[]
  diverged: boolean
  /** Loss before the first step and after the last one, on the probe rows. */
  first: number
  end: number
  /** Loss at the end over the loss of the best constant prediction: 1 has learned nothing. */
  left: number
  /** Share by which the loss fell in the last third. */
  falling: number
  /** Median over samples and layers of ‖Δw‖/‖w‖. */
  moved: number
  /** Median of ‖Δw‖/‖w‖ over layers, in the first sample. */
  jump: number
  /** Stability at the first look that measured it, and its median over all later looks. */
  early: number
  late: number
  /** Largest growth of the weights of a layer. */
  growth: number
  /** True if the weights stood nearly still on a slope: moved by all of their size along it, they would have changed it by more than half of the loss. */
  stands: boolean
}

/** Way of the weights, as a share of their size, within which they stand still. */
const STILL = 0.03

export function courseOf(report: XrayReport): Course {
  const { samples, start, layers, data } = report
  const last = samples.at(-1)
  const diverged = report.end?.kind === 'diverged'
  const first = start?.loss ?? samples[0]?.probeLoss ?? 0
  const end = diverged ? Infinity : last === undefined ? first : (last.probeLoss ?? Infinity)
  const early = samples.find((s) => s.stability !== undefined)
  const third = samples[Math.floor((2 * samples.length) / 3)]?.probeLoss ?? first
  const baseline = data?.baseline ?? first
  const moved = median(samples.flatMap((s) => s.layers.map((l) => l.updateRatio)))
  return {
    report,
    samples,
    last,
    hidden: layers.slice(0, -1).map((layer, i) => ({ layer, i })),
    diverged,
    first,
    end,
    left: baseline > 0 ? end / baseline : 0,
    falling: third > 0 ? (third - end) / third : 0,
    moved,
    jump: median(samples[0]?.layers.map((l) => l.updateRatio) ?? []),
    early: early?.stability ?? 0,
    late: median(samples.flatMap((s) => (s === early ? [] : (s.stability ?? [])))),
    stands: standsOnSlope(report, moved),
    growth: Math.max(0, ...layers.map((_, i) => (last?.layers[i].weightNorm ?? 0) / (start?.layers[i].weightNorm || Infinity))),
  }
}

function standsOnSlope({ start, end, samples, setup }: XrayReport, moved: number): boolean {
  if (samples.length < 3 || start === undefined || !(moved * setup.steps < STILL)) return false
  const weightNorm = Math.hypot(...start.layers.map((layer) => layer.weightNorm))
  const slope = Math.min(start.gradientNorm, end?.gradientNorm ?? start.gradientNorm)
  return slope * weightNorm > 0.5 * Math.abs(start.loss)
}

/** The way of the weights as a share of their size, and the cosine of one step with the next. */
export function wayOf({ moved, samples, report }: Course): { path: number; cosine: number } {
  return { path: moved * report.setup.steps, cosine: median(samples.flatMap((s) => s.cosine ?? [])) }
}

/** True if the loss was still falling when the training ended: by a twentieth in the last third, and not near its end. */
export const isUnfinished = ({ left, falling }: Pick<Course, 'left' | 'falling'>): boolean => left >= 0.3 && falling >= 0.05

/** True if steps are too small: the loss falls while weights creep, or they stand on a slope. */
export function isSlow(c: Course): boolean {
  const { left, falling, late, samples, stands } = c
  // weights that a first large step threw far out move by a small part of their size from then on
  if (overshootOf(c).isTooLarge || !(left > 0.02)) return false
  const { path, cosine } = wayOf(c)
  return stands || (samples.length >= 3 && path < 0.35 && falling > 0.005 && late < 0.2 && cosine >= (left > 0.15 ? 0.3 : 0.8))
}

/** The signs of steps that were too large, and whether they were. */
export function overshootOf({ report, diverged, left, jump, early, late, growth }: Course) {
  const { isAdaptive } = report.setup
  const unstable = Math.max(isAdaptive ? 0 : early, late)
  const wild = jump > (isAdaptive ? 0.1 : 1)
  const failed = left > 0.4 || (growth > 8 && left > 0.15)
  return { isAdaptive, unstable, wild, failed, isTooLarge: diverged || unstable > 1 || wild || (growth > 8 && failed) }
}

/** Of an even number of values the upper one of the middle; 0 for none. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
