/** A thousand nets at once: a map of two hyper-parameters, and the importance of all hyper-parameters. */
import { useSignal } from '@preact/signals'
import { engineOnDemand } from '../engine/client'
import { useTask } from '../engine/use-task'
import { Canvas } from '../ui/canvas'
import { Button, Choice, CopyButton, Panel, Problem, Settings, Slider, short } from '../ui/controls'
import { DataChoice, SeedSlider } from '../ui/data-choice'
import { LIGHT } from '../ui/hues'
import { css, isDark, lossColour, token } from '../ui/palette'
import { usePart } from '../ui/use-part'
import { AXES, axis, type FleetState } from './axes'
import { type Importance, places, SAMPLE, SIDE, stepsText } from './map'
import { fleet } from './state'

const worker = engineOnDemand()

/** Room around the map for its axes, in pixels. */
const [LEFT, BOTTOM, EDGE] = [64, 40, 8]

/** A loss that is clearly above that of a guess between two classes, ln 2: such a net learned nothing, but exploded. */
const GUESS = 0.75
const WORSE = LIGHT[1]

export function FleetTab() {
  const state = fleet.state.value
  /** The importances found, with their problem. */
  const weighed = useSignal<{ problemKey: string; importance: Importance } | null>(null)
  const isWeighing = useSignal(false)
  const pointed = useSignal<number | null>(null)
  const problem = useSignal('')
  const { set } = fleet
  const map = useTask(worker, 'fleetMap', state, { forgets: true })
  const problemKey = JSON.stringify([state.data, state.seed, state.steps])
  const importance = weighed.value?.problemKey === problemKey ? weighed.value.importance : null
  const weigh = async () => {
    isWeighing.value = true
    try {
      weighed.value = { problemKey, importance: await worker().ask('fleetImportance', state) }
    } catch (error) {
      problem.value = (error as Error).message
    }
    isWeighing.value = false
  }
  const pairs = usePart(importance !== null, () => import('./pairs'))
  const xs = places(state.x, SIDE)
  const ys = places(state.y, SIDE)
  const { losses, done = 0, netSteps = 0, seconds = 0 } = map.result ?? {}
  const finite = losses ? Array.from(losses).filter((v) => v >= 0 && Number.isFinite(v)) : []
  const [low, high] = [Math.min(...finite, Number.POSITIVE_INFINITY), Math.min(Math.max(...finite, 0), GUESS)]
  const share = (loss: number) => (Math.log(Math.min(loss, high)) - Math.log(low)) / (Math.log(high) - Math.log(low) || 1)
  const areas = losses ? areasOf(losses, xs, ys) : []
  const best = areas.reduce<Area | null>((least, area) => (area.loss < (least?.loss ?? Number.POSITIVE_INFINITY) ? area : least), null)
  const here = pointed.value
  const marked: Area | null =
    here === null || !losses
      ? best
      : { left: here % SIDE, right: here % SIDE, bottom: rowOf(here), top: rowOf(here), nets: 1, loss: losses[here] }
  const others = AXES.filter(({ name }) => name !== state.x && name !== state.y)
  return (
    <div class="tab">
      <section class="stage" aria-label="Map of a thousand nets">
        <p class="count">
          <b>{done.toLocaleString('en')}</b> nets{netName(state)}, {netSteps.toLocaleString('en')} steps in all, {seconds.toFixed(2)} s
          {seconds > 0 && `: ${Math.round(netSteps / seconds).toLocaleString('en')} a second`}
        </p>
        <Problem text={map.problem || problem.value} />
        <Canvas
          class="map fleet-map"
          tabIndex={0}
          label={`Final loss of ${done} nets by ${axis(state.x).label} and ${axis(state.y).label}${best ? `; best ${short(best.loss)} at ${short(xs[best.left])} and ${short(ys[best.bottom])}` : ''}. Arrow keys point at a net.`}
          when={[map.result, pointed.value, isDark.value]}
          paint={({ context: c, width, height }) => {
            const [w, h] = [(width - LEFT - EDGE) / SIDE, (height - BOTTOM - EDGE) / SIDE]
            for (let i = 0; i < SIDE * SIDE; i++) {
              const loss = losses?.[i] ?? -1
              const [x, y] = [LEFT + (i % SIDE) * w, EDGE + (SIDE - 1 - Math.floor(i / SIDE)) * h]
              c.fillStyle =
                loss < 0 ? token('panel') : Number.isNaN(loss) ? token('ground') : loss > GUESS ? WORSE : css(lossColour(share(loss)))
              c.fillRect(x, y, w + 0.5, h + 0.5)
              if (Number.isNaN(loss)) {
                c.strokeStyle = token('line')
                c.beginPath()
                c.moveTo(x, y + h)
                c.lineTo(x + w, y)
                c.stroke()
              }
            }
            if (marked) {
              const { left, right, bottom, top } = marked
              c.strokeStyle = token('ink')
              c.lineWidth = 2.5
              c.strokeRect(LEFT + left * w, EDGE + (SIDE - 1 - top) * h, (right - left + 1) * w, (top - bottom + 1) * h)
            }
            c.fillStyle = token('soft')
            c.font = '12px system-ui, sans-serif'
            c.textAlign = 'center'
            for (const k of ticksOf(state.x, xs)) c.fillText(short(xs[Math.floor(k)], 2), LEFT + (k + 0.5) * w, height - BOTTOM + 14)
            c.fillText(axis(state.x).label, LEFT + (SIDE / 2) * w, height - BOTTOM + 31)
            c.textAlign = 'right'
            for (const k of ticksOf(state.y, ys)) c.fillText(short(ys[Math.floor(k)], 2), LEFT - 6, EDGE + (SIDE - 0.5 - k) * h + 4)
            c.save()
            c.translate(13, EDGE + (SIDE / 2) * h)
            c.rotate(-Math.PI / 2)
            c.textAlign = 'center'
            c.fillText(axis(state.y).label, 0, 0)
            c.restore()
          }}
          onKeyDown={(e) => {
            const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: SIDE, ArrowDown: -SIDE }[e.key]
            if (by === undefined) return
            e.preventDefault()
            const from = here ?? (best ? best.bottom * SIDE + best.left : 0)
            const next = from + by
            // Left and right stay in their row.
            if (next >= 0 && next < SIDE * SIDE && (Math.abs(by) > 1 || rowOf(next) === rowOf(from))) pointed.value = next
          }}
          onBlur={() => (pointed.value = null)}
          onPointerMove={(e) => {
            const box = e.currentTarget.getBoundingClientRect()
            const column = Math.floor(((e.clientX - box.left - LEFT) / (box.width - LEFT - EDGE)) * SIDE)
            const row = SIDE - 1 - Math.floor(((e.clientY - box.top - EDGE) / (box.height - BOTTOM - EDGE)) * SIDE)
            pointed.value = column >= 0 && column < SIDE && row >= 0 && row < SIDE ? row * SIDE + column : null
          }}
          onPointerLeave={() => (pointed.value = null)}
        />
        <div class="scale" aria-hidden="true">
          <span>{Number.isFinite(low) ? short(low, 2) : ''}</span>
          <i style={{ background: `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((t) => css(lossColour(t))).join(', ')})` }} />
          <span>{short(high, 2)} loss</span>
          <span class="hatched worse">worse than a guess</span>
          <span class="hatched">diverged</span>
        </div>
        <p class="verdict" aria-live="polite">
          {marked
            ? `${here === null ? 'Best' : 'Here'}: ${axis(state.x).label} ${short(xs[marked.left])}, ${axis(state.y).label} ${short(ys[marked.bottom])}, loss ${Number.isNaN(marked.loss) ? 'diverged' : short(marked.loss)}${marked.nets > 1 ? `, the mean of ${marked.nets} nets that differ in their first weights` : ''}`
            : 'Training…'}
        </p>
      </section>
      <section class="results" aria-label="Which hyper-parameter mattered">
        <h2>Which hyper-parameter matters here?</h2>
        <p class="says">
          Another {SAMPLE.toLocaleString('en')} nets, with all {AXES.length} hyper-parameters drawn at random, each over its usual range. A
          bar is the share of the spread of log losses that one explains by itself. {stepsText(state.steps)} Andrew Ng, in his course on
          deep learning, tunes the learning rate first; second momentum, rows a step and units; third layers and learning-rate decay. He
          does not rank weight decay.
        </p>
        <Button kind="primary" disabled={isWeighing.value} onClick={weigh}>
          {isWeighing.value ? 'Training…' : 'Find out'}
        </Button>
        {importance && (
          <>
            <table class="importance">
              <tbody>
                {importance.shares.map(({ name, share }) => (
                  <tr key={name}>
                    <th scope="row">
                      {axis(name).label} {axis(name).rank && <small>Ng: {['first', 'second', 'third'][axis(name).rank! - 1]}</small>}
                    </th>
                    <td>
                      <span class="bar" style={{ width: `${Math.max(1, 100 * share)}%` }} />
                    </td>
                    <td class="number">{Math.round(100 * share)} %</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {pairs && <pairs.Pairs importance={importance} onChoose={({ x, y }) => set({ x, y })} />}
            <p class="verdict">
              {`${mostText(importance)}Best of ${importance.nets.toLocaleString('en')}: loss ${short(importance.best.loss)} with ${AXES.map(({ name, label }) => `${label.toLowerCase()} ${short(importance.best.point[name], 2)}`).join(', ')}. It took ${importance.seconds.toFixed(1)} s.`}
            </p>
          </>
        )}
      </section>
      <Settings>
        <Panel title="The map">
          <Choice
            label="Across"
            value={state.x}
            options={AXES.filter(({ name }) => name !== state.y).map(({ name, label }) => [name, label] as const)}
            onChange={(x) => set({ x })}
          />
          <Choice
            label="Upwards"
            value={state.y}
            options={AXES.filter(({ name }) => name !== state.x).map(({ name, label }) => [name, label] as const)}
            onChange={(y) => set({ y })}
          />
          <DataChoice value={state.data} among={['moons', 'circles', 'spirals', 'xor']} onChange={(data) => set({ data })} />
          <Slider label="Steps of each net" value={state.steps} min={40} max={1000} step={20} onChange={(steps) => set({ steps })} />
          <SeedSlider value={state.seed} onChange={(seed) => set({ seed })} />
        </Panel>
        <Panel title="What all nets share">
          {others.map(({ name, label, from, to, log, values }) =>
            values ? (
              <Choice
                key={name}
                label={label}
                value={String(state[name as 'width'])}
                options={values.map((v) => [String(v), String(v)] as const)}
                onChange={(v) => set({ [name]: Number(v) })}
              />
            ) : name === 'decay' || name === 'cooling' ? (
              <Slider
                key={name}
                label={label}
                value={state[name]}
                min={0}
                max={name === 'decay' ? 0.05 : 10}
                step={name === 'decay' ? 0.001 : 0.1}
                hint={name === 'decay' ? undefined : 'd of η / (1 + d·t), where t goes from 0 to 1 over the training'}
                onChange={(v) => set({ [name]: v })}
              />
            ) : (
              <Slider
                key={name}
                label={label}
                value={state[name as 'rate']}
                min={from}
                max={to}
                log={log}
                step={0.01}
                onChange={(v) => set({ [name]: v })}
              />
            ),
          )}
          <CopyButton text={async () => (await import('./code')).fleetCode(state)}>Copy as code</CopyButton>
        </Panel>
      </Settings>
    </div>
  )
}

/** Which hyper-parameter explains most by itself, if any does. */
const mostText = ({ shares: [{ name, share }] }: Importance) => (share > 0 ? `${axis(name).label} mattered most on this problem. ` : '')

/** Squares that share both numbers. */
interface Area {
  left: number
  right: number
  bottom: number
  top: number
  nets: number
  /** The geometric mean of their losses; infinite if one diverged or is not trained yet. */
  loss: number
}

const rowOf = (i: number) => Math.floor(i / SIDE)

function areasOf(losses: Float32Array, xs: readonly number[], ys: readonly number[]): Area[] {
  const areas = new Map<string, Area & { sum: number }>()
  losses.forEach((loss, i) => {
    const [column, row] = [i % SIDE, rowOf(i)]
    const key = `${xs[column]} ${ys[row]}`
    const area = areas.get(key) ?? { left: column, right: column, bottom: row, top: row, nets: 0, loss: 0, sum: 0 }
    area.right = column
    area.top = row
    area.nets++
    area.sum += loss >= 0 ? Math.log(loss) : Number.POSITIVE_INFINITY
    area.loss = Math.exp(area.sum / area.nets)
    areas.set(key, area)
  })
  return [...areas.values()]
}

/** Where an axis has numbers: a few places of a range, the middle of each whole number. */
function ticksOf(name: string, places: readonly number[]): number[] {
  const { values } = axis(name)
  return values ? values.map((value) => (places.indexOf(value) + places.lastIndexOf(value)) / 2) : [0, 8, 16, 24, 31]
}

/** The shape of all nets, if they share it. */
function netName({ x, y, width, depth }: FleetState): string {
  const isVaried = (name: string) => x === name || y === name
  return isVaried('depth') ? '' : ` of 2-${new Array(depth).fill(isVaried('width') ? 'n' : width).join('-')}-1`
}
