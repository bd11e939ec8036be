/** The curve of the learning-rate finder, with its zones. */
import { useEffect, useRef } from 'preact/hooks'
import { Button, short } from '../ui/controls'
import { LineChart } from '../ui/line-chart'
import { colour } from '../ui/palette'
import type { RateFinding } from './find-rate'

/** Losses that are neither a few times the first nor far below the least running mean: those would flatten all other lines. */
function inView(losses: readonly number[], { smoothed }: RateFinding): (number | null)[] {
  const least = Math.min(...smoothed) / 8
  return losses.map((loss) => (loss < 4 * smoothed[0] && loss > least ? loss : null))
}

/** What the loss does: stand still, fall, explode. */
function zonesOf({ rates, slope }: RateFinding) {
  if (!slope) return []
  const [from, to, end] = [rates[slope.from], rates[slope.to], rates[rates.length - 1]]
  return [
    { from: rates[0], to: from, text: 'nothing', colour: colour(7) },
    { from, to, text: 'falls', colour: colour(2) },
    { from: to, to: end, text: 'explodes', colour: colour(1) },
  ]
}

export function FinderView({ finding, suggested, onUse }: { finding: RateFinding; suggested: number | null; onUse(rate: number): void }) {
  const ref = useRef<HTMLDivElement>(null)
  // The button may stand at the end of the window, and the chart below it.
  useEffect(() => ref.current?.scrollIntoView({ block: 'nearest' }), [finding])
  return (
    <div ref={ref} class="finder">
      <LineChart
        title="Loss against learning rate"
        xLabel="learning rate"
        height={200}
        xLog
        log
        data={[finding.rates, ...[finding.losses, finding.smoothed].map((losses) => inView(losses, finding))]}
        lines={[
          { label: 'loss', colour: colour(7), width: 0.8, isUnnamed: true },
          { label: 'smoothed', colour: colour(0), isUnnamed: true },
        ]}
        zones={zonesOf(finding)}
        marks={suggested === null ? [] : [{ x: suggested, text: 'half of the fall' }]}
      />
      {suggested !== null && <Button onClick={() => onUse(Number(suggested.toPrecision(2)))}>Use {short(suggested, 2)}</Button>}
    </div>
  )
}
