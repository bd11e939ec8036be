/** The phases of backpropagation, each with the numbers of one unit. */
import { short } from '../ui/controls'
import type { Backprop } from './backprop'

/** Forward through each layer, the loss, back through each layer, and the step. */
export type Phase = { kind: 'forward' | 'back'; layer: number } | { kind: 'loss' } | { kind: 'step' }

export function phasesOf(layers: number): Phase[] {
  const all = Array.from({ length: layers }, (_, layer) => layer)
  return [
    ...all.map((layer) => ({ kind: 'forward', layer }) as const),
    { kind: 'loss' },
    ...all.reverse().map((layer) => ({ kind: 'back', layer }) as const),
    { kind: 'step' },
  ]
}

/** The index of the largest number by size. */
const largest = (values: readonly number[]) => values.reduce((best, v, i) => (Math.abs(v) > Math.abs(values[best]) ? i : best), 0)

/** What happens in a phase, by the unit or the weight where most of it happens. Terms have a digit more than what they make. */
export function phaseText(
  { inputs, layers, loss, className }: Backprop,
  phase: Phase,
  { activation, method }: { activation: string; method: string },
): string {
  const valuesBefore = (layer: number) => (layer === 0 ? inputs : layers[layer - 1].values)
  const nameOf = (layer: number) => (layer === layers.length - 1 ? 'the output' : `layer ${layer + 1}`)
  if (phase.kind === 'forward') {
    const { weights, biases, sums, values } = layers[phase.layer]
    const unit = largest(values)
    const terms = valuesBefore(phase.layer).map((value, i) => `${short(weights[i * values.length + unit])}·${short(value)}`)
    const sum = `${[...terms.slice(0, 3), ...(terms.length > 3 ? ['…'] : []), short(biases[unit])].join(' + ')} ≈ ${short(sums[unit], 2)}`
    const isLast = phase.layer === layers.length - 1
    return `Forward to ${nameOf(phase.layer)}, unit ${unit + 1}: z = Σ w·a + b = ${sum}${isLast || activation === 'linear' ? '' : `, a = ${activation}(z) = ${short(values[unit], 2)}`}.`
  }
  if (phase.kind === 'loss') return `The class of this row is ${className}: the loss L is ${short(loss, 3)}.`
  if (phase.kind === 'back') {
    const { gradients, deltas } = layers[phase.layer]
    const at = largest(gradients)
    const [from, unit] = [Math.floor(at / deltas.length), at % deltas.length]
    const value = valuesBefore(phase.layer)[from]
    return `Back through ${nameOf(phase.layer)}: the weight from ${from + 1} to ${unit + 1} has ∂L/∂w = a·∂L/∂z = ${short(value)} · ${short(deltas[unit])} = ${short(gradients[at], 2)}.`
  }
  const { layer, at } = layers
    .map(({ weights, next }, layer) => {
      const moved = next.map((v, i) => v - weights[i])
      return { layer, at: largest(moved), moved }
    })
    .reduce((best, one) => (Math.abs(one.moved[one.at]) > Math.abs(best.moved[best.at]) ? one : best))
  const { weights, next, gradients } = layers[layer]
  return `The step, by ${method}: the weight that moves most, ∂L/∂w ${short(gradients[at], 2)}, goes from ${short(weights[at], 4)} to ${short(next[at], 4)}. The batch is this row alone here.`
}
