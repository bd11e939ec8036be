/** A GRU that learns to tell the next value of a wave, and what its gates do meanwhile. */
import { Dense, mse, Sequential, type Tensor, tensor } from 'gradus'
import { GRU } from 'gradus/recurrent'
import { backend, WatchedNet } from '../engine/watched-net'
import type { SeriesConfig } from './state'

const BATCH = 16
/** Steps of the waves that it learns from. */
const LENGTH = 32
/** Steps of training from one point of the curve to the next. */
const STRIDE = 10

/** The net over one sequence: a list for each unit, with a number for each step. */
export interface Trace {
  /** The next value, as the net has it, after each step. */
  outputs: number[]
  /** 1 − u, of each unit: how much of the new the unit lets in. */
  open: number[][]
  /** r, of each unit: how much of the old state the new one sees. */
  back: number[][]
}

export class SeriesNet extends WatchedNet {
  readonly curve = { steps: [] as number[], loss: [] as number[] }

  constructor(readonly config: SeriesConfig) {
    const { seed, units } = config
    super(new Sequential([new GRU(1, units, { returnSequences: true }), new Dense(units, 1)], { seed, backend }), config)
  }

  protected nextLoss(): Tensor {
    const { period, noise } = this.config
    const waves = Array.from({ length: BATCH }, () => waveOf(period, LENGTH + 1, period * this.random.next()))
    const noises = this.random.normals(BATCH * (LENGTH + 1))
    const value = (row: number, t: number) => waves[row][t] + noise * noises[row * (LENGTH + 1) + t]
    const cut = (from: number) =>
      tensor(
        Float32Array.from({ length: BATCH * LENGTH }, (_, i) => value(Math.floor(i / LENGTH), from + (i % LENGTH))),
        [BATCH, LENGTH, 1],
        { backend },
      )
    return mse(this.model.forward(cut(0)), cut(1))
  }

  protected record(loss: number): void {
    if (this.step % STRIDE !== 0) return
    this.curve.steps.push(this.step)
    this.curve.loss.push(loss)
  }

  /**
   * The net over given values, and then on alone, each of its outputs the next input. Step by step in doubles by the formulas of `gru`, because the
   * layer does not give its gates away.
   */
  trace(given: readonly number[], alone: number): Trace {
    const { units } = this.config
    const layer = this.model.layers[0] as GRU
    const [w, u, b, c] = [layer.weight, layer.recurrentWeight, layer.bias!, layer.recurrentBias!].map((parameter) => parameter.view())
    const dense = this.model.layers[1] as Dense
    const [last, bias] = [dense.weight.view(), dense.bias!.view()[0]]
    const trace: Trace = { outputs: [], open: [], back: [] }
    let h = new Array<number>(units).fill(0)
    for (let t = 0; t < given.length + alone; t++) {
      const x = t < given.length ? given[t] : trace.outputs[t - 1]
      const state = h
      /** h·U of a gate (r 0, u 1, n 2) for a unit. */
      const from = (gate: number, k: number) => state.reduce((sum, v, i) => sum + v * u[i * 3 * units + gate * units + k], 0)
      const at = (gate: number, k: number) => x * w[gate * units + k] + b[gate * units + k]
      const gateOf = (gate: number) => state.map((_, k) => sigmoid(at(gate, k) + from(gate, k)))
      const [reset, update] = [gateOf(0), gateOf(1)]
      h = state.map((before, k) => {
        const fresh = Math.tanh(at(2, k) + reset[k] * (from(2, k) + c[k]))
        return fresh + update[k] * (before - fresh)
      })
      trace.outputs.push(h.reduce((sum, v, k) => sum + v * last[k], bias))
      trace.open.push(update.map((v) => 1 - v))
      trace.back.push(reset)
    }
    return { ...trace, open: byUnit(trace.open), back: byUnit(trace.back) }
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const byUnit = (steps: readonly number[][]) => (steps[0] ?? []).map((_, k) => steps.map((values) => values[k]))

/** Values of a wave, from a step on. */
export const waveOf = (period: number, count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, t) => Math.sin((2 * Math.PI * (t + from)) / period))
