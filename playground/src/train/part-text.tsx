/** What is under the pointer in the picture of a net, in words; a weight can be changed. */
import type { TargetedPointerEvent } from 'preact'
import { short } from '../ui/controls'
import type { WeightEdit } from './config'
import type { Examples } from './examples'
import { type Pointed, pointedAt } from './pointed'
import type { NetView } from './view'

export function partAt(e: TargetedPointerEvent<HTMLCanvasElement>, view: NetView, examples: Examples): Pointed | null {
  const box = e.currentTarget.getBoundingClientRect()
  return pointedAt(view, examples, box.width, box.height, e.clientX - box.left, e.clientY - box.top)
}

/** What is pointed at, and the value of a weight to change. */
export function PartText({
  part,
  isHeld,
  view,
  examples,
  onWeight,
}: {
  part: Pointed | null
  isHeld: boolean
  view: NetView
  examples: Examples
  onWeight(edit: WeightEdit): void
}) {
  if (!part) return <p class="says part">Point at a unit to enlarge it, at a line to read its weight; click a line to change it.</p>
  if (part.kind === 'unit')
    return (
      <p class="says part">{`Layer ${part.layer + 1}, unit ${part.unit + 1}: what it answers to each point (blue above 0, orange below).`}</p>
    )
  const { layer, from, to } = part
  const { values, units } = view.weights[layer]
  const index = from * units + to
  const [source, target] = [
    layer === 0 ? (examples.featureNames[from] ?? `input ${from + 1}`) : `unit ${from + 1}`,
    layer === view.weights.length - 1 ? `output ${to + 1}` : `unit ${to + 1} of layer ${layer + 1}`,
  ]
  return (
    <p class="says part">
      {`Weight from ${source} to ${target}: `}
      {isHeld ? (
        <input
          key={`${layer} ${index}`}
          type="number"
          step="0.1"
          aria-label={`Weight from ${source} to ${target}`}
          value={Number(values[index].toPrecision(4))}
          onChange={(e) => {
            const value = e.currentTarget.valueAsNumber
            if (Math.abs(value) <= 1e6) onWeight({ layer, index, value })
          }}
        />
      ) : (
        <b>{short(values[index])}</b>
      )}
    </p>
  )
}
