/** A chart of how sharp the loss is where the net stands, beside the limit of its rate. */

import { LineChart } from '../ui/line-chart'
import type { Look } from '../ui/looks'
import type { Sharpness } from './sharpness'

interface Props {
  /** Of each run; null of runs that have none. */
  runs: readonly Sharpness[]
  looks: readonly (Look & { label: string })[]
}

export function SharpnessPanel({ runs, looks }: Props) {
  const xs = [...new Set(runs.flatMap(({ steps }) => steps))].sort((a, b) => a - b)
  const at = ({ steps }: Sharpness, values: readonly (number | null)[]) => {
    const by = new Map(steps.map((step, i) => [step, values[i]]))
    return xs.map((x) => by.get(x) ?? null)
  }
  const limited = runs.flatMap((run, i) => (run.limits.some((limit) => limit !== null) ? [i] : []))
  return (
    <div class="noise">
      <LineChart
        title="Sharpness: the largest eigenvalue of the Hessian"
        xLabel="steps"
        height={220}
        data={[xs, ...runs.map((run) => at(run, run.values)), ...limited.map((i) => at(runs[i], runs[i].limits))]}
        lines={[
          ...runs.map((_, i) => looks[i]),
          ...limited.map((i) => ({
            label: `2/η of ${looks[i].label}`,
            colour: looks[i].colour,
            dash: [2, 4],
            width: 1.4,
            isUnnamed: true,
          })),
        ]}
      />
      <p class="says">
        {limited.length > 0
          ? 'Dotted: 2/η, of gradient descent. Where the sharpness is above it, a step overshoots further than it stood.'
          : 'Gradient descent has a limit, 2/η; choose it to see the line.'}
      </p>
    </div>
  )
}
