/** What the X-ray of a run found, the remedy first, and a line for each layer. */
import type { XrayReport } from 'gradus/xray'
import { axisOf, rangeOf } from '../../../ts/plot/scale'
import { short } from '../ui/controls'

const WORDS = { fault: 'Fault', warning: 'Warning', note: 'Note' } as const
/** Pixels of a line, and findings that are shown. */
const [WIDTH, HEIGHT, MOST] = [92, 20, 3]

type Values = readonly (number | undefined)[]

export function XrayPanel({ report }: { report: XrayReport }) {
  const { verdicts, samples, layers } = report
  const figures: readonly (readonly [name: string, of: (layer: number) => Values, isShare: boolean])[] = [
    ['Updates ‖Δw‖/‖w‖', (i) => samples.map((sample) => sample.layers[i].updateRatio), false],
    ['Gradient', (i) => samples.map((sample) => sample.layers[i].gradientNorm), false],
    ['Dead or saturated', (i) => samples.map((sample) => sample.layers[i].dead ?? sample.layers[i].saturated), true],
  ]
  return (
    <div class="xray">
      <ul class="findings" aria-live="off">
        {verdicts.slice(0, MOST).map(({ severity, rule, remedy, says }) => (
          <li key={rule} class={severity}>
            <b>{WORDS[severity]}</b>: {capital(remedy)}. <span>{capital(says)}.</span>
          </li>
        ))}
        {verdicts.length === 0 && <li>No fault was found in {samples.length} samples so far.</li>}
      </ul>
      {samples.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Layer</th>
                {figures.map(([name]) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {layers.map(({ name, units, activation = 'linear' }, i) => (
                <tr key={name}>
                  <th scope="row">
                    {i + 1}: {units} {activation}
                  </th>
                  {figures.map(([figure, of, isShare]) => (
                    <td key={figure}>
                      <Course values={of(i)} all={isShare ? [[0, 1]] : layers.map((_, k) => of(k))} isShare={isShare} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {samples.length > 0 && (
        <p class="says">
          {samples.length} samples up to step {samples[samples.length - 1].step}; lines of a column share a scale. {stabilityText(report)}
        </p>
      )}
    </div>
  )
}

/** How far the rate is from the edge of stability, by the latest sample that measured it. */
export function stabilityText({ samples }: Pick<XrayReport, 'samples'>): string {
  const latest = samples.filter(({ stability }) => stability !== undefined).at(-1)
  if (!latest) return ''
  const { stability = 0, step } = latest
  return `At step ${step} the learning rate was ${short(stability, 2)} × the largest that is stable there (edge of stability: 1).`
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1)

/** A small line, with its latest value. */
function Course({ values, all, isShare }: { values: Values; all: readonly Values[]; isShare: boolean }) {
  const last = values.filter((value) => value !== undefined).at(-1)
  if (last === undefined) return <small>–</small>
  const y = axisOf(
    rangeOf(
      all.map((list) => list.map((value) => value ?? null)),
      !isShare,
    ),
    { from: HEIGHT - 2, to: 2, log: !isShare },
  )
  const x = axisOf([0, Math.max(1, values.length - 1)], { from: 1, to: WIDTH - 1 })
  const points = values.flatMap((value, i) =>
    value !== undefined && (isShare || value > 0) ? [`${x.place(i).toFixed(1)},${y.place(value).toFixed(1)}`] : [],
  )
  return (
    <>
      <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
        <polyline points={points.join(' ')} fill="none" stroke="currentColor" stroke-width="1.5" />
      </svg>{' '}
      <small>{isShare ? `${Math.round(100 * last)} %` : short(last, 2)}</small>
    </>
  )
}
