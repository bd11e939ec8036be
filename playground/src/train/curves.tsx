/** What the runs have learned: their curves, and a table of where they are. */
import { useMemo } from 'preact/hooks'
import { methodOf } from '../methods'
import { scheduleFacts } from '../schedules/choice'
import { Segments, short } from '../ui/controls'
import { LineChart } from '../ui/line-chart'
import { Named } from '../ui/methods'
import { rowsText, runLooks, runName } from './runs'
import type { Frame } from './session'
import { present, type TrainState, train } from './state'
import type { Curve } from './trainer'

export function Curves({ state, frame, ghosts }: { state: TrainState; frame: Frame | null; ghosts: readonly Curve[] }) {
  const { axis, loss } = state
  const looks = runLooks(state)
  const { data, marks, range, ghostCount } = useMemo(() => {
    const runs = frame?.runs ?? []
    const places = runs.map(({ curve, samplesPerStep }) =>
      axis === 'seconds' ? curve.seconds : axis === 'samples' ? curve.steps.map((s) => s * samplesPerStep) : curve.steps,
    )
    const isCompared = axis === 'steps' && ghosts.length > 0
    const xs = [...new Set([...places.flat(), ...(isCompared ? ghosts.flatMap(({ steps }) => steps) : [])])].sort((a, b) => a - b)
    const before = isCompared ? ghosts.map((curve) => interpolated(curve.steps, curve[loss as 'test' | 'train' | 'batch'], xs)) : []
    // All lines of a chart have one list of places: between its own points a line is interpolated.
    const lines = runs.map(({ curve }, i) => interpolated(places[i], curve[loss as 'test' | 'train' | 'batch'], xs))
    const marks =
      axis === 'steps'
        ? state.changes.map(({ step, run, method, rate, batch, schedule, weights }) => ({
            x: step,
            text: [
              `${run + 1}:`,
              method && methodOf(method).label,
              rate !== undefined && short(rate),
              batch !== undefined && rowsText(batch),
              schedule && scheduleFacts(schedule.kind).label.toLowerCase(),
              weights && 'weight',
            ]
              .filter(Boolean)
              .join(' '),
          }))
        : []
    // Over samples or seconds the runs are compared as far as all of them have come.
    const end = Math.min(...places.map((list) => list[list.length - 1]))
    return {
      data: [xs.length > 0 ? xs : [0, 1], ...lines, ...before],
      ghostCount: before.length,
      marks,
      range: axis !== 'steps' && places.length > 1 && end > 0 ? ([0, end] as const) : undefined,
    }
  }, [frame, axis, loss, state.changes, ghosts])
  return (
    <div class="curves">
      <div class="toolbar">
        <Segments
          label="Loss"
          value={loss}
          options={[
            ['test', 'Test'],
            ['train', 'Train'],
            ['batch', 'Batch'],
          ]}
          onChange={(loss) => train.set({ loss })}
        />
        <Segments
          label="Axis"
          value={axis}
          options={[
            ['steps', 'Steps'],
            ['samples', 'Samples'],
            ['seconds', 'Seconds'],
          ]}
          onChange={(axis) => train.set({ axis })}
        />
      </div>
      <LineChart
        title={{ test: 'Loss on the test rows', train: 'Loss on all training rows', batch: 'Loss of each batch' }[loss] ?? 'Loss'}
        xLabel={axis === 'samples' ? 'samples seen' : axis}
        data={data}
        xRange={range}
        log
        marks={marks}
        lines={[
          ...looks.map((look, i) => ({ label: runName(present(state, i)), ...look })),
          ...looks
            .slice(0, ghostCount)
            .map(({ colour }, i) => ({ label: `before: run ${i + 1}`, colour: `${colour}66`, dash: [], width: 1.2, isUnnamed: true })),
        ]}
      />
    </div>
  )
}

export function RunTable({ state, frame }: { state: TrainState; frame: Frame | null }) {
  const looks = runLooks(state)
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Run</th>
            <th class="number">Train loss</th>
            <th class="number">Test loss</th>
            <th class="number">Test accuracy</th>
          </tr>
        </thead>
        <tbody>
          {frame?.runs.map(({ trainLoss, testLoss, testAccuracy }, i) => {
            const now = state.runs[i] && present(state, i)
            return (
              now && (
                <tr key={i}>
                  <td>
                    <Named look={looks[i]}>{runName(now)}</Named>
                  </td>
                  <td class="number">{short(trainLoss)}</td>
                  <td class="number">{short(testLoss)}</td>
                  <td class="number">{Math.round(1000 * testAccuracy) / 10} %</td>
                </tr>
              )
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Values of a line at other places; null outside of it. */
function interpolated(places: readonly number[], values: readonly number[], at: readonly number[]): (number | null)[] {
  let k = 0
  return at.map((x) => {
    while (k + 1 < places.length && places[k + 1] <= x) k++
    if (x > places[places.length - 1] || x < places[0] || !Number.isFinite(values[k])) return null
    if (places[k] === x || k + 1 >= places.length || !Number.isFinite(values[k + 1])) return values[k]
    return values[k] + ((values[k + 1] - values[k]) * (x - places[k])) / (places[k + 1] - places[k])
  })
}
