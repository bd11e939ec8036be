/** The rule of each optimizer in TypeScript reads the numbers of a step in the order in which its kernel reads them. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import { MAX_HYPER } from '../../ts/backend/kernels.js'
import * as gradus from '../../ts/entries/js.js'
import { Optimizer, Parameter } from '../../ts/index.js'
import type { OptimizerInternals } from '../../ts/optim/base/internals.js'
import { adam, momentum, prodigyStep } from '../../ts/optim/base/numbers.js'
import type { ElementRule } from '../../ts/optim/base/optimizer.js'
import type { UpdateRule } from '../../ts/optim/base/update-rule.js'
import { momentumRule } from '../../ts/optim/momentum.js'
import { backends } from '../tools/optim-runner.js'

type Class = new (parameters: Parameter[], options?: object) => Optimizer
/** The protected side of an optimizer with its loops. */
type Internals = OptimizerInternals & { update: ElementRule; moments?: ElementRule }

const classes = [...new Set(Object.values(gradus as Record<string, unknown>))].filter(
  (value): value is Class => typeof value === 'function' && value.prototype instanceof Optimizer,
)
/** Options that change the kernel, or the number of its hyper-parameters. */
const VARIANTS: object[] = [
  ...[{}, { momentum: 0.9 }, { centered: true }, { centered: true, momentum: 0.9 }, { amsgrad: true }],
  ...[{ epsilonPlacement: 'inside' }, { method: 'adamw' }, { momentum: 0.9, learningRateInside: true }],
]
const js = createBackend({ backend: 'js' })
const N = 37

/** A kernel and its twin in TypeScript; a class may have two such pairs. */
interface Twins {
  kernel: string
  part: UpdateRule['part']
  count: number
  slots: number
  update: ElementRule
}

function twinsOf(Class: Class): Twins[] {
  return VARIANTS.flatMap((options): Twins[] => {
    let optimizer: Optimizer
    try {
      optimizer = new Class([new Parameter([1, 2], { backend: js })], options)
    } catch {
      return [] // an option that it does not have
    }
    const internals = optimizer as unknown as Internals
    const rule = internals.rule(optimizer.groups[0].values)
    if (rule === undefined) return []
    const { kernel, part, slots, numbers } = rule
    return [{ kernel, part, count: numbers({} as never).length, slots: slots.length, update: internals.moments ?? internals.update }]
  })
}

/** Different numbers between 0.1 and 0.8, so that a swap of any two is noticed. */
const spread = (count: number) => Array.from({ length: count }, (_, i) => Math.fround(0.1 + 0.7 * ((0.618034 * (i + 1)) % 1)))

const prodigy = new gradus.OPTIMIZERS.Prodigy([new Parameter([1], { backend: js })]) as unknown as Internals
const MORE: Twins[] = [
  { kernel: 'prodigyStep', part: prodigy.rule({})?.part, count: prodigyStep({} as never).length, slots: 2, update: prodigy.update },
  // the first pass of Muon on matrices
  { kernel: 'momentum', part: undefined, count: momentum({} as never).length, slots: 1, update: momentumRule },
]
const all = [...classes.flatMap(twinsOf), ...MORE]
const once = [...new Map(all.map((twins) => [`${twins.kernel}, ${twins.update}`, twins])).values()]

describe.each(backends.filter(({ name }) => name.startsWith('wasm')))('on $name', ({ make }) => {
  const backend = make()
  const { heap } = backend
  test.each(once)('$kernel', ({ kernel, part, count, slots, update }) => {
    let seed = 7
    const draw = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const at = {
      p: heap.allocate(4 * N),
      g: heap.allocate(4 * N),
      s: heap.allocate(4 * N * Math.max(slots, 1)),
      h: heap.allocate(4 * MAX_HYPER + 16),
    }
    const numbers = spread(count)
    // the kernel with ε outside the root has no ε inside of it, which is 0 then
    if (kernel === 'adam') numbers[adam({ epsilonInRoot: 1 } as never).indexOf(1)] = 0
    const [p, g] = [heap.view(at.p, N), heap.view(at.g, N)]
    const state = Array.from({ length: slots }, (_, j) => heap.view(at.s + 4 * N * j, N))
    for (const array of [p, g]) array.set(Array.from(array, () => 2 * draw() - 1))
    for (const slot of state) slot.set(Array.from(slot, draw))
    heap.view(at.h, 3 + count).set([1, 0, 0, ...numbers])
    const [wantP, wantS] = [Float64Array.from(p), state.map((slot) => Float64Array.from(slot))]
    update(wantP, Float64Array.from(g), wantS, numbers)
    const run = backend.update(kernel, part)
    expect(run, `the kernel ${kernel}`).toBeTypeOf('function')
    run!(at.p, at.g, at.s, N, N, at.h)
    const close = (got: ArrayLike<number>, want: Float64Array) =>
      Array.from(got).forEach((x, i) =>
        expect(Math.abs(x - want[i]) / Math.max(1, Math.abs(want[i])), `element ${i}: ${x} for ${want[i]}`).toBeLessThan(2e-5),
      )
    close(p, wantP)
    for (const [j, slot] of state.entries()) close(slot, wantS[j])
    for (const address of Object.values(at)) heap.free(address)
  })
})

test('all rules are tried', () => {
  expect(new Set(once.map(({ kernel }) => kernel)).size).toBeGreaterThan(28)
})
