/** A chart of the noise of gradients against the size of the batch. */
import { short } from '../ui/controls'
import { LineChart } from '../ui/line-chart'
import { colour } from '../ui/palette'
import type { Noise } from './noise'

export function NoisePanel({ noise: { sizes, measured, law } }: { noise: Noise }) {
  const at = (n: number) => measured[sizes.indexOf(n)]
  return (
    <div class="noise">
      <LineChart
        title="Noise of a batch's gradient, as a share of the gradient"
        xLabel="rows in the batch"
        height={200}
        log
        xLog
        data={[sizes, measured, law]}
        lines={[
          { label: 'measured', colour: colour(1) },
          { label: 'σ/√n', colour: colour(7), dash: [4, 4] },
        ]}
      />
      {sizes.includes(16) && (
        <p class="says">
          One row is off by {short(at(1), 2)} times the gradient, 16 rows by {short(at(16), 2)}. Dashed: the law, σ/√n, less what rows drawn
          without replacement have in common.
        </p>
      )}
    </div>
  )
}
