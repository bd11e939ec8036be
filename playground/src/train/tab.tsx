/** The Train tab: a net that learns while one watches. */
import { useSignal } from '@preact/signals'
import type { TargetedPointerEvent } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { engineOnDemand } from '../engine/client'
import { useSession } from '../engine/use-session'
import { Canvas } from '../ui/canvas'
import { Button, Problem, Toggle } from '../ui/controls'
import { isDark } from '../ui/palette'
import { usePart } from '../ui/use-part'
import type { Backprop } from './backprop'
import { TrainBar } from './bar'
import { Curves, RunTable } from './curves'
import type { Examples } from './examples'
import { Histograms } from './histograms'
import type { Noise } from './noise'
import { classColour, paintBoundary, paintNet } from './pictures'
import type { Pointed } from './pointed'
import { runLooks, runName } from './runs'
import { TrainSettings } from './settings'
import { configOf, LARGEST_TABLE, present, remember, startAfresh, type TrainState, train } from './state'
import type { Curve } from './trainer'
import type { NetView } from './view'

const worker = engineOnDemand()

const TOO_LARGE = `a table of this page wants at most ${LARGEST_TABLE / 1e6} MB; gradus/data reads larger ones`
/** Steps before the first picture for people who want less motion. */
const STILL = 300

export function TrainTab() {
  const state = train.state.value
  const examples = useSignal<Examples | null>(null)
  const backend = useSignal('')
  const verdict = useSignal('')
  const digit = useSignal<number[] | null>(null)
  const refused = useSignal('')
  const furthest = useRef(0)

  // A new start needs a new session; changes of settings go to the running session.
  const { changes: _, ...start } = configOf(state)
  const table = tableNumber(state.csv)
  const startKey = JSON.stringify({ ...start, data: { ...start.data, csv: table } })
  // The last picture stays until the next one comes, unless it is of other inputs or another net.
  const shape = JSON.stringify([state.data, state.hidden, table, state.target])
  const shownShape = useRef(shape)
  const isFirst = useRef(true)
  useEffect(() => {
    if (!isFirst.current) furthest.current = 0
    isFirst.current = false
    ghosts.value = []
    pointed.value = held.value = null
    if (shape !== shownShape.current) {
      frame.value = null
      looked.value = {}
    }
    shownShape.current = shape
    verdict.value = ''
  }, [startKey])
  const { frame, problem, tell, begin, bar } = useSession({
    ...{ worker, task: 'session', tab: train, still: STILL, key: startKey },
    input: () => {
      const { chosen, across, upwards, xray, sharpness } = train.state.value
      return { config: configOf(train.state.value), chosen, axes: [across, upwards] as const, xray, sharpness }
    },
    onUpdate: (update) => {
      if (update.type === 'frame') furthest.current = Math.max(furthest.current, update.frame.step)
      else if (update.type === 'data') {
        examples.value = update.examples
        backend.value = update.backend
      } else if (update.type === 'changed') remember(update.change)
      else if (update.type === 'inspection') verdict.value = update.text
      else if (update.type === 'digit') digit.value = update.outputs
      else looked.value = { ...looked.value, ...update }
    },
  })
  /** The part of the net under the pointer, and the weight that was clicked. */
  const [pointed, held] = [useSignal<Pointed | null>(null), useSignal<(Pointed & { kind: 'weight' }) | null>(null)]
  const hasPointer = useSignal(false)
  const parts = usePart(hasPointer.value, () => import('./part-text'))
  const pad = usePart(state.data === 'digits', () => import('./digit-pad'))
  const looked = useSignal<{ backprop?: Backprop; noise?: Noise }>({})
  const backpropPanel = usePart(state.backprop, () => import('./backprop-panel'))
  const noisePanel = usePart(state.variance, () => import('./noise-panel'))
  const row = useRef(0)
  // One row through the net of each step that is shown, and the noise whenever it stands still.
  const shownStep = frame.value ? `${frame.value.weights} ${frame.value.step}` : ''
  useEffect(() => {
    if (!state.backprop || shownStep === '') return
    tell({ type: 'backprop', row: row.current })
  }, [state.backprop, shownStep, state.chosen])
  useEffect(() => {
    if (!state.variance || shownStep === '' || (state.isPlaying && looked.value.noise)) return
    tell({ type: 'variance' })
    // While it plays, of the first picture; later ones would come faster than the noise is measured.
  }, [state.variance, state.isPlaying ? shownStep !== '' : shownStep, state.chosen])
  const xrayPanel = usePart(state.xray, () => import('./xray-panel'))
  const sharpnessPanel = usePart(state.sharpness, () => import('./sharpness-panel'))
  const watched = `${state.xray} ${state.sharpness}`
  const wasWatched = useRef(watched)
  useEffect(() => {
    // These look from the first step on: the run is taken again up to where it is, with the same bits.
    if (watched !== wasWatched.current) begin(train.state.value.at)
    wasWatched.current = watched
  }, [watched])
  const { across, upwards } = state
  useEffect(() => tell({ type: 'choose', chosen: state.chosen, axes: [across, upwards] }), [state.chosen, across, upwards])
  /** Trains on a table of the visitor. */
  const open = async (file: File | undefined) => {
    if (!file) return
    if (file.size > LARGEST_TABLE) {
      refused.value = TOO_LARGE
      return
    }
    refused.value = ''
    const { hidden } = train.state.value
    startAfresh({ data: 'csv', csv: await file.text(), target: '', across: 0, upwards: 1, hidden: hidden.length === 0 ? [8] : hidden })
  }
  useEffect(() => {
    const over = (e: DragEvent) => e.preventDefault()
    const drop = (e: DragEvent) => {
      e.preventDefault()
      open(e.dataTransfer?.files[0])
    }
    document.addEventListener('dragover', over)
    document.addEventListener('drop', drop)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('drop', drop)
    }
  }, [])

  /** Curves from before the last rewind, to compare with. */
  const ghosts = useSignal<readonly Curve[]>([])
  const rewind = (step: number) => {
    ghosts.value = frame.value?.runs.map(({ curve }) => curve) ?? []
    train.set({ isPlaying: false, at: step })
    begin(step)
  }
  const looks = runLooks(state)
  const shown = examples.value
  const view = frame.value?.view
  const unit = view && unitOf(view, pointed.value)
  /** What is pointed at now; while it is the same part as before, nothing is painted again. */
  const point = (part: Pointed | null) => {
    if (JSON.stringify(part) !== JSON.stringify(pointed.value)) pointed.value = part
  }
  const isDigits = state.data === 'digits'
  /** The run whose net is shown: words of a lesson may choose one that was removed. */
  const chosen = Math.min(state.chosen, state.runs.length - 1)
  const hint = refused.value || problem || frame.value?.runs[chosen]?.problem || ''

  return (
    <div class="tab">
      <section class="stage" aria-label="Net">
        <TrainBar
          {...bar}
          onRestart={() => {
            startAfresh()
            furthest.current = 0
            begin(0)
          }}
        />
        <Problem text={hint} />
        <div class={isDigits ? 'net wide' : 'net'}>
          {view && shown ? (
            <>
              {state.backprop && looked.value.backprop && backpropPanel && !isDigits ? (
                <backpropPanel.BackpropPanel
                  backprop={looked.value.backprop}
                  rows={shown.train.count}
                  activation={state.activation}
                  method={present(state, chosen).method}
                  onRow={(index) => {
                    row.current = index
                    tell({ type: 'backprop', row: index })
                  }}
                />
              ) : (
                <Canvas
                  class="net-picture"
                  label={`The net: ${[shown.features, ...state.hidden, shown.classes].join(', ')} units. Each unit is a picture of what it answers to.`}
                  when={[view, isDark.value, pointed.value, held.value]}
                  paint={(painting) => paintNet(painting, view, shown, held.value ?? pointed.value)}
                  onPointerEnter={() => {
                    hasPointer.value = true
                  }}
                  onPointerMove={(e) => {
                    point(parts?.partAt(e, view, shown) ?? null)
                  }}
                  onPointerLeave={() => {
                    pointed.value = null
                  }}
                  onPointerDown={(e) => {
                    const part = parts?.partAt(e, view, shown) ?? null
                    held.value = part?.kind === 'weight' ? part : null
                    point(part)
                  }}
                />
              )}
              {isDigits ? (
                pad && <pad.DigitPad outputs={digit.value} onDigit={(pixels) => tell({ type: 'digit', pixels })} />
              ) : (
                <Canvas
                  class="boundary"
                  label={`What the net says in the plane; test accuracy ${Math.round(100 * (frame.value?.runs[chosen]?.testAccuracy ?? 0))} percent`}
                  when={[view, isDark.value, unit]}
                  paint={(painting) => paintBoundary(painting, view, shown, unit)}
                  onPointerDown={(e) => draw(e, shown)}
                  onPointerMove={(e) => {
                    if (e.buttons === 1) draw(e, shown)
                  }}
                />
              )}
            </>
          ) : (
            hint === '' && <p class="says">Making the net…</p>
          )}
        </div>
        {view &&
          shown &&
          !isDigits &&
          !state.backprop &&
          (parts ? (
            <parts.PartText
              part={held.value ?? pointed.value}
              isHeld={held.value !== null}
              view={view}
              examples={shown}
              onWeight={(edit) => tell({ type: 'change', change: { run: chosen, weights: [edit] } })}
            />
          ) : (
            <p class="says part">Point at a unit to enlarge it, at a line to read its weight; click a line to change it.</p>
          ))}
        {shown && !isDigits && (
          <p class="legend">
            {shown.classNames.map((name, i) => (
              <span key={name}>
                <i style={{ background: classColour(i) }} /> class {name}
              </span>
            ))}
            <span>
              <i class="ring" /> for testing
            </span>
            {view && shown.featureNames.length > 2 && (
              <span>
                {shown.featureNames.map((name, i) => `${i + 1} ${name}`).join(', ')}; the map shows{' '}
                {view.axes.map((axis) => shown.featureNames[axis]).join(' and ')} (chosen in the settings), the rest at their mean
              </span>
            )}
            {shown.note && <span>{shown.note}</span>}
          </p>
        )}
        <div class="rewind">
          <label for="rewind">Rewind to step</label>
          <input
            id="rewind"
            type="range"
            min="0"
            max={Math.max(furthest.current, state.at, 1)}
            step="1"
            value={state.at}
            onChange={(e) => rewind(Number(e.currentTarget.value))}
          />
          <output>{state.at}</output>
        </div>
        <p class="says">
          {backend.value && `Runs in ${backend.value === 'js' ? 'plain JavaScript' : `WebAssembly (${backend.value})`}. `}
          {frame.value?.weights && `Weights of this step: ${frame.value.weights}${sameWhere(state, backend.value)}.`}
        </p>
      </section>
      <section class="results" aria-label="Results">
        {state.sharpness && !frame.value?.sharpness && <p class="says">Measuring the sharpness…</p>}
        {frame.value?.sharpness && state.sharpness && sharpnessPanel && (
          <sharpnessPanel.SharpnessPanel
            runs={frame.value.sharpness.slice(0, looks.length)}
            looks={looks.map((look, i) => ({ ...look, label: runName(present(state, i)) }))}
          />
        )}
        <Curves state={state} frame={frame.value} ghosts={ghosts.value} />
        <RunTable state={state} frame={frame.value} />
        <div class="inspect">
          {!isDigits && (
            <Toggle label="Backpropagation, phase by phase" value={state.backprop} onChange={(backprop) => train.set({ backprop })} />
          )}
          <Toggle label="How noisy are gradients of batches?" value={state.variance} onChange={(variance) => train.set({ variance })} />
          {state.variance && looked.value.noise && noisePanel && <noisePanel.NoisePanel noise={looked.value.noise} />}
          <Toggle label="X-ray: why does it stall?" value={state.xray} onChange={(xray) => train.set({ xray })} />
          {state.xray &&
            (frame.value?.xray && xrayPanel ? (
              <xrayPanel.XrayPanel report={frame.value.xray} />
            ) : (
              <p class="says">Looking at the first steps…</p>
            ))}
          <Toggle label="How sharp is the loss?" value={state.sharpness} onChange={(sharpness) => train.set({ sharpness })} />
          <Button onClick={() => tell({ type: 'inspect' })}>What kind of place is this?</Button>
          <p class="verdict" aria-live="polite">
            {verdict.value || 'The curvature of the loss at these weights, by Lanczos.'}
          </p>
        </div>
        {view && <Histograms view={view} />}
      </section>
      <TrainSettings worker={worker} examples={shown} axes={view?.axes} tell={tell} onFile={open} />
    </div>
  )
}

/** What a unit answers, where one is pointed at. */
const unitOf = ({ units }: NetView, part: Pointed | null) => (part?.kind === 'unit' ? units[part.layer]?.[part.unit] : undefined)

/** The least distance of points that are drawn in one go. */
const APART = 0.09

/** Adds a point of the chosen class, unless the last point is nearly at the same place. */
function draw(e: TargetedPointerEvent<HTMLCanvasElement>, { range }: Examples): void {
  const { data, points, brush } = train.state.value
  if (data !== 'drawn') return
  const box = e.currentTarget.getBoundingClientRect()
  const [[left, right], [bottom, top]] = range
  const x = left + ((e.clientX - box.left) / box.width) * (right - left)
  const y = top - ((e.clientY - box.top) / box.height) * (top - bottom)
  const [beforeX = 9, beforeY = 9] = points.slice(-3)
  if (Math.hypot(x - beforeX, y - beforeY) < APART) return
  startAfresh({ points: [...points, Number(x.toFixed(2)), Number(y.toFixed(2)), brush] })
}

/** Where the weights are the same: not in plain JavaScript, whose functions differ from browser to browser. */
function sameWhere({ data }: TrainState, backend: string): string {
  if (backend === 'js') return ''
  return `; the same in every browser with this link${data === 'csv' ? ' and this file' : ''}`
}

/** A number for each table in turn, by which states are compared: a table may have megabytes. */
let [latestTable, tables] = ['', 0]
function tableNumber(csv: string): number {
  if (csv !== latestTable) [latestTable, tables] = [csv, tables + 1]
  return tables
}
