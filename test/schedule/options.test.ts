/** Options of schedules: accepted words and refused values. */
import { describe, expect, test } from 'vitest'
import { schedules } from '../../ts/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('words that schedules take', () => {
  const { constant, cosine, cyclic, interpolate, multiStep, oneCycle, oneCycleMomentum, piecewise, polynomial, product, sequence, warmup } =
    schedules as Any

  test.each<[string, () => unknown, string]>([
    ['cosine', () => cosine(1, { steps: 9, afterwards: 'stay' }), "cosine: afterwards wants 'hold' or 'rise', got 'stay'"],
    ['cyclic', () => cyclic(0, 1, { mode: 'triangle' }), "cyclic: mode wants 'triangular', 'triangular2' or 'exponential', got 'triangle'"],
    ['oneCycle', () => oneCycle(1, { steps: 9, shape: 'cos' }), "oneCycle: shape wants 'cosine' or 'linear', got 'cos'"],
    ['oneCycleMomentum', () => oneCycleMomentum({ steps: 9, shape: 'x' }), "oneCycleMomentum: shape wants 'cosine' or 'linear', got 'x'"],
    [
      'warmupStableDecay',
      () => schedules.warmupStableDecay(1, { warmupSteps: 1, stableSteps: 1, decaySteps: 1, shape: 'root' as Any }),
      "warmupStableDecay: shape wants 'linear', 'cosine' or 'sqrt', got 'root'",
    ],
    ['warmup', () => warmup(constant(1), { steps: 3, shape: 'cosine' }), "warmup: shape wants 'linear' or 'exponential', got 'cosine'"],
    ['interpolate', () => interpolate([[0, 1]], 'arc'), "interpolate: shape wants 'linear', 'cosine' or 'sqrt', got 'arc'"],
  ])('%s names the option, what it got and what it wants', (_, make, message) => {
    expect(make).toThrow(new RangeError(message))
  })

  test.each<[string, () => unknown, RegExp]>([
    ['a number in text', () => polynomial(1, { steps: '10' }), /^polynomial: steps wants a number above 0, got '10'$/],
    ['a number in the place of a schedule', () => warmup(0.1, { steps: 3 }), /^warmup: a schedule wants a function of the step.*got 0\.1$/],
    ['factors that are no schedules', () => product(constant(1), 2), /^product: a schedule wants a function of the step.*got 2$/],
    ['one schedule in the place of a list', () => sequence(constant(1), [3]), /^sequence: wants schedules in an array, got a function$/],
    ['one boundary in the place of a list', () => piecewise([1, 2], 3), /^piecewise: wants boundaries in an array, got 3$/],
    ['one milestone in the place of a list', () => multiStep(1, { milestones: 30 }), /^multiStep: milestones wants an array.*got 30$/],
    [
      'a share of the steps above all of them',
      () => oneCycle(1, { steps: 9, warmupFraction: 2 }),
      /^oneCycle: warmupFraction wants a number above 0 and below 1, got 2$/,
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message))
})
