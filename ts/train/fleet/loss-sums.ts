/** The losses of the nets of a round, as each net's training needs them. */
import type { FloatArray } from '../../backend/heap.js'
import type { Batches } from '../batches.js'
import type { StepBlock } from '../fast/index.js'
import { NETS } from './batching-rules.js'
import type { Member } from './member.js'

/**
 * The losses of a round, eight to a step, and for each net and epoch their sum, in doubles: each loss times its rows, added one after the other, as
 * `fit` adds them. The eight sums side by side take as long as a single sum, in which each addition waits for the previous one.
 */
export class LossSums {
  /** Eight sums for each epoch of the round, one for each net. */
  private readonly sums: Float64Array
  private readonly firstEpoch: number
  private readonly steps: number

  constructor(
    public losses: FloatArray,
    /** The losses of step i of the round begin at start + 8·i. */
    public start: number,
    { first, steps, nets }: { first: number; steps: number; nets: readonly { readonly member: Member }[] },
    private readonly batches: Batches,
  ) {
    this.steps = steps
    this.firstEpoch = batches.epochOf(first)
    const rows = batches.sizeOf(first)
    const epochs = steps === 0 ? 0 : batches.epochOf(first + steps - 1) - this.firstEpoch + 1
    this.sums = new Float64Array(NETS * epochs)
    // the round may begin in the middle of an epoch
    if (epochs > 0 && batches.positionOf(first).batch > 1)
      nets.forEach(({ member }, net) => (this.sums[net] = member.training.means.lossSum))
    for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
      const end = Math.min(steps, batches.endOf(this.firstEpoch + epoch) - first)
      addEight(this.sums, NETS * epoch, losses, start + NETS * step, start + NETS * end, rows)
      step = end
    }
  }

  /** Copies the losses, so that they survive when memory grows or the program runs again. */
  keep(): void {
    this.losses = this.losses.slice(this.start, this.start + NETS * this.steps)
    this.start = 0
  }

  /** The sum of a net in the epoch of a step, up to the end of the epoch or of the round. */
  of(net: number, step: number): number {
    return this.sums[NETS * (this.batches.epochOf(step) - this.firstEpoch) + net]
  }

  /** Number of leading steps of a net with a finite loss. */
  finite(net: number): number {
    const { sums, steps, losses, start } = this
    let i = net
    // sums of finite floats are finite doubles
    while (i < sums.length && Number.isFinite(sums[i])) i += NETS
    if (i >= sums.length) return steps
    let step = 0
    while (step < steps && Number.isFinite(losses[start + NETS * step + net])) step++
    return step
  }
}

/** Adds rows · losses[i + net] to sums[k + net], for i from `from` on. */
function addEight(sums: Float64Array, k: number, losses: FloatArray, from: number, end: number, rows: number): void {
  let [a, b, c, d] = [sums[k], sums[k + 1], sums[k + 2], sums[k + 3]]
  let [e, f, g, h] = [sums[k + 4], sums[k + 5], sums[k + 6], sums[k + 7]]
  for (let i = from; i < end; i += NETS) {
    a += losses[i] * rows
    b += losses[i + 1] * rows
    c += losses[i + 2] * rows
    d += losses[i + 3] * rows
    e += losses[i + 4] * rows
    f += losses[i + 5] * rows
    g += losses[i + 6] * rows
    h += losses[i + 7] * rows
  }
  sums[k] = a
  sums[k + 1] = b
  sums[k + 2] = c
  sums[k + 3] = d
  sums[k + 4] = e
  sums[k + 5] = f
  sums[k + 6] = g
  sums[k + 7] = h
}

/** The steps of one net in a round. */
export class NetBlock implements StepBlock {
  readonly isProgram = true
  declare outputs?: NonNullable<StepBlock['outputs']>

  constructor(
    private readonly member: Member,
    readonly first: number,
    readonly count: number,
    readonly size: number,
    private readonly net: number,
    private readonly sums: LossSums,
    outputs: StepBlock['outputs'] | null,
  ) {
    if (outputs) this.outputs = outputs
  }

  loss(i: number): number {
    return this.sums.losses[this.sums.start + NETS * i + this.net]
  }

  learningRate(i: number): number {
    return this.member.rateOf(this.first + i)
  }

  sumLosses(i: number): number {
    return this.sums.of(this.net, this.first + i)
  }
}
