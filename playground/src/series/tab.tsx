/** The Sequences tab: a GRU that learns a wave and goes on with it alone, and what its gates do. */
import { engineOnDemand } from '../engine/client'
import { useSession } from '../engine/use-session'
import { NetStage } from '../train/bar'
import { Canvas, type Painting } from '../ui/canvas'
import { CopyButton, Panel, Settings, Slider } from '../ui/controls'
import { SeedSlider } from '../ui/data-choice'
import { LineChart } from '../ui/line-chart'
import { colour, css, isDark, signed, token } from '../ui/palette'
import { aloneText } from './alone-text'
import { GIVEN } from './given'
import { configOf, seriesTab } from './state'
import './series.css'

const worker = engineOnDemand()
/** Steps before the first picture for people who want less motion. */
const STILL = 600

export function SeriesTab() {
  const state = seriesTab.state.value
  const session = useSession({
    worker,
    task: 'series',
    tab: seriesTab,
    input: () => ({ config: configOf(state) }),
    key: JSON.stringify(configOf(state)),
    still: STILL,
  })
  const frame = session.frame.value
  const set = seriesTab.set
  return (
    <div class="tab">
      <NetStage label="Net for a sequence" bar={session.bar} problem={session.problem || (frame?.problem ?? '')}>
        {frame ? (
          <>
            <LineChart
              title={`A wave: ${GIVEN} values are given, then the net goes on alone`}
              xLabel=""
              height={210}
              xRange={[0, frame.wave.length - 1]}
              data={[frame.wave.map((_, t) => t), frame.wave, [null, ...frame.trace.outputs]]}
              lines={[
                { label: 'the wave', colour: colour(7), dash: [4, 4] },
                { label: 'the net', colour: colour(1) },
              ]}
              marks={[{ x: GIVEN, text: 'alone from here' }]}
            />
            <Gates title="New: how far each unit lets the new value in, 1 − u" values={frame.trace.open} />
            <Gates title="Back: how much of its state each unit looks back at, r" values={frame.trace.back} />
            <p class="says key">
              A row is a unit, a column a step. <Swatch value={0} /> shut <Swatch value={0.5} /> half open <Swatch value={1} /> open
            </p>
            <p class="verdict" aria-live="off">
              {aloneText(frame.wave, frame.trace.outputs)}
            </p>
          </>
        ) : null}
      </NetStage>
      <section class="results" aria-label="Results">
        {frame && (
          <LineChart
            title="Loss: mean square error of the next value"
            xLabel="steps"
            log
            data={[frame.curve.steps, frame.curve.loss]}
            lines={[{ label: 'loss', colour: colour(1) }]}
          />
        )}
        <p class="formula">
          r = σ(W<sub>r</sub>x + U<sub>r</sub>h + b<sub>r</sub>)<br />u = σ(W<sub>u</sub>x + U<sub>u</sub>h + b<sub>u</sub>)<br />n = tanh(W
          <sub>n</sub>x + b<sub>n</sub> + r ⊙ (U<sub>n</sub>h + c))
          <br />h ← (1 − u) ⊙ n + u ⊙ h
        </p>
      </section>
      <Settings>
        <Panel title="Wave">
          <Slider label="Steps of a wave" value={state.period} min={4} max={40} step={1} onChange={(period) => set({ period })} />
          <Slider label="Noise" value={state.noise} min={0} max={0.5} step={0.01} onChange={(noise) => set({ noise })} />
        </Panel>
        <Panel title="Net">
          <Slider label="Units" value={state.units} min={1} max={16} step={1} onChange={(units) => set({ units })} />
          <Slider label="Learning rate of Adam" value={state.rate} min={1e-4} max={1} log onRelease onChange={(rate) => set({ rate })} />
          <SeedSlider value={state.seed} onChange={(seed) => set({ seed })} />
          <CopyButton text={async () => (await import('./code')).seriesCode(state, state.at || STILL)}>Copy as code</CopyButton>
        </Panel>
      </Settings>
    </div>
  )
}

/** A row for each unit, below the chart and to its scale. */
function Gates({ title, values }: { title: string; values: readonly number[][] }) {
  return (
    <figure class="gates">
      <figcaption>{title}</figcaption>
      <Canvas
        label={`${title}: ${values.length} units`}
        when={[values, isDark.value]}
        paint={(painting) => paintGates(painting, values)}
        style={{ height: `${14 * values.length}px` }}
      />
    </figure>
  )
}

const signedOf = (open: number) => signed(2 * open - 1)
const Swatch = ({ value }: { value: number }) => <i class="gate" style={{ background: css(signedOf(value)) }} />

/** Room beside the chart above (ui/line-chart.tsx). */
const [LEFT, RIGHT] = [54, 12]

function paintGates({ context: c, width, height }: Painting, values: readonly number[][]): void {
  const [w, h] = [(width - LEFT - RIGHT) / values[0].length, height / values.length]
  c.font = '11px system-ui, sans-serif'
  c.textAlign = 'right'
  c.textBaseline = 'middle'
  values.forEach((steps, unit) => {
    c.fillStyle = token('soft')
    c.fillText(String(unit + 1), LEFT - 6, (unit + 0.5) * h)
    steps.forEach((open, t) => {
      c.fillStyle = css(signedOf(open))
      c.fillRect(LEFT + t * w, unit * h, w + 0.5, h - 1)
    })
  })
}
