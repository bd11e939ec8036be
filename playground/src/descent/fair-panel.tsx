/** Curves of how soon each racer arrives at each learning rate, with a dot to drag; and Momentum at each rate and β. */
import { useRef } from 'preact/hooks'
import { axisOf } from '../../../ts/plot/scale'
import type { Engine } from '../engine/client'
import { useTask } from '../engine/use-task'
import { Canvas, type Painting } from '../ui/canvas'
import { Button, Problem, short } from '../ui/controls'
import { drawLabels } from '../ui/labels'
import type { Look } from '../ui/looks'
import { css, isDark, signed, token } from '../ui/palette'
import type { Fairness, Regimes } from './fair'
import { regimesText } from './fair-text'
import type { Surface } from './functions'
import { type DescentState, descent, raceOf, racer } from './state'

/** Room for the axes, in pixels. */
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 14, 12, 38]

/** A rate as a slider has it. */
const rounded = (rate: number) => Number(rate.toPrecision(2))

interface Props {
  worker: () => Engine
  state: DescentState
  surface: Surface
  looks: readonly (Look & { name: string })[]
  /** Gives each racer its best rate. */
  onBest(): void
}

export function FairPanel({ worker, state, surface, looks, onBest }: Props) {
  const { range, lowest } = surface
  const { epsilon } = state
  const race = raceOf(state)
  // The curves are of all rates, so a rate that is turned changes nothing of them.
  const input = { ...race, racers: race.racers.map((racer) => ({ ...racer, rate: 1 })), range, lowest, epsilon }
  const { result, problem } = useTask(worker, 'fairness', input)
  const held = useRef(-1)
  const setRate = (i: number, rate: number) =>
    descent.set({ racers: state.racers.map((racer, k) => (k === i ? { ...racer, rate: rounded(rate) } : racer)) })
  return (
    <div class="fair">
      <Problem text={problem} />
      {result && (
        <Canvas
          class="curves-of-rates"
          label={`Steps to arrive against the learning rate: ${looks.map(({ name }, i) => `${name} now ${short(state.racers[i]?.rate ?? 0)}`).join(', ')}`}
          when={[result, state.racers, looks, isDark.value]}
          paint={(painting) => paintRates(painting, result, state, looks)}
          onPointerDown={(e) => {
            const { width, height } = e.currentTarget.getBoundingClientRect()
            const dots = dotsOf(result, state, width, height)
            const [px, py] = [e.offsetX, e.offsetY]
            held.current = dots.reduce((best, { i, x, y }) => {
              const distance = Math.hypot(x - px, y - py)
              const other = dots.find((dot) => dot.i === best)
              return distance < 28 && (!other || distance < Math.hypot(other.x - px, other.y - py)) ? i : best
            }, -1)
            e.currentTarget.setPointerCapture(e.pointerId)
          }}
          onPointerMove={(e) => {
            if (held.current >= 0) setRate(held.current, axesOf(result, state, e.currentTarget.clientWidth, 1).x.value(e.offsetX))
          }}
          onPointerUp={() => {
            held.current = -1
          }}
        />
      )}
      <Button onClick={onBest}>Each at its best</Button>
      <p class="says">Drag a dot: it is where the rate is now. A narrow valley of a curve is a rate that is hard to find.</p>
      {lowest !== null && <RegimesMap worker={worker} state={state} lowest={lowest} />}
    </div>
  )
}

function axesOf({ rates, steps }: Fairness, state: DescentState, width: number, height: number) {
  const counts = steps.flat().flatMap((count) => count ?? [])
  const [least, most] = [Math.max(1, Math.min(...counts, state.steps)), Math.max(2, ...counts)]
  // From a little below the least rate with which somebody arrives, or that somebody has.
  const first = rates.findIndex(
    (rate, k) => steps.some((list) => (list[k] ?? null) !== null) || state.racers.some((racer) => racer.rate <= rate),
  )
  const from = rates[Math.max(0, (first < 0 ? 0 : first) - 4)]
  return {
    x: axisOf([from, rates[rates.length - 1]], { log: true, from: LEFT, to: width - RIGHT, text: short }),
    y: axisOf([0.7 * least, most], { log: true, from: height - BOTTOM, to: TOP + 16, spacing: 30, text: short }),
  }
}

/** Where each racer is: at its rate, on its curve; above all where it does not arrive. */
function dotsOf(fairness: Fairness, state: DescentState, width: number, height: number) {
  const { x, y } = axesOf(fairness, state, width, height)
  const { rates } = fairness
  return state.racers.flatMap(({ rate }, i) => {
    const steps = fairness.steps[i]
    if (!steps || steps.length === 0) return []
    const at = rates.reduce((best, v, k) => (Math.abs(Math.log(v / rate)) < Math.abs(Math.log(rates[best] / rate)) ? k : best), 0)
    const place = Math.min(Math.max(x.place(Math.max(rate, 1e-12)), LEFT), width - RIGHT)
    return [{ i, x: place, y: steps[at] === null ? TOP + 4 : y.place(Math.max(1, steps[at])) }]
  })
}

function paintRates({ context: c, width, height }: Painting, fairness: Fairness, state: DescentState, looks: Props['looks']): void {
  const { x, y } = axesOf(fairness, state, width, height)
  c.font = '12px system-ui, sans-serif'
  c.fillStyle = token('soft')
  c.strokeStyle = token('line')
  c.lineWidth = 1
  c.beginPath()
  c.textAlign = 'center'
  for (const { place, text } of x.ticks) {
    c.moveTo(place, height - BOTTOM)
    c.lineTo(place, TOP)
    c.fillText(text, place, height - BOTTOM + 16)
  }
  c.fillText('learning rate', (LEFT + width) / 2, height - 6)
  c.textAlign = 'right'
  for (const { place, text } of y.ticks) {
    c.moveTo(LEFT, place)
    c.lineTo(width - RIGHT, place)
    c.fillText(text, LEFT - 6, place + 4)
  }
  c.stroke()
  c.textAlign = 'left'
  c.fillText(`steps to arrive; at the top: not all do in ${fairness.most}`, LEFT + 4, TOP)
  fairness.steps.forEach((steps, i) => {
    if (!looks[i]) return
    c.strokeStyle = looks[i].colour
    c.setLineDash(looks[i].dash)
    c.lineWidth = 2
    c.beginPath()
    let isDown = false
    steps.forEach((count, k) => {
      if (count === null || fairness.rates[k] < x.value(LEFT)) isDown = false
      else {
        const [px, py] = [x.place(fairness.rates[k]), y.place(Math.max(1, count))]
        if (isDown) c.lineTo(px, py)
        else c.moveTo(px, py)
        isDown = true
      }
    })
    c.stroke()
    c.setLineDash([])
  })
  const dots = dotsOf(fairness, state, width, height)
  for (const { i, x, y } of dots) {
    c.beginPath()
    c.arc(x, y, 8, 0, 2 * Math.PI)
    c.fillStyle = looks[i]?.colour ?? token('ink')
    c.fill()
    c.lineWidth = 2
    c.strokeStyle = token('ground')
    c.stroke()
  }
  drawLabels(
    c,
    dots.flatMap(({ i, x, y }) => (looks[i] ? [{ text: looks[i].name, colour: looks[i].colour, x, y }] : [])),
    width,
    height - BOTTOM,
  )
}

function RegimesMap({ worker, state, lowest }: { worker: () => Engine; state: DescentState; lowest: number }) {
  const { ground, start } = raceOf(state)
  const steps = Math.min(state.steps, 400)
  const { result } = useTask(worker, 'regimes', { ground, start, steps, lowest, epsilon: state.epsilon })
  if (!result) return null
  const choose = (e: PointerEvent) => {
    const canvas = e.currentTarget as HTMLCanvasElement
    const share = (v: number, low: number, high: number) => Math.min(Math.max((v - low) / (high - low), 0), 0.9999)
    const column = Math.floor(share(e.offsetX, LEFT, canvas.clientWidth - RIGHT) * result.rates.length)
    const row = Math.floor(share(e.offsetY, canvas.clientHeight - BOTTOM, TOP) * result.betas.length)
    const chosen = {
      ...racer('Momentum'),
      rate: result.rates[column],
      options: { beta: result.betas[row] },
    }
    const at = state.racers.findIndex(({ method }) => method === 'Momentum')
    descent.set({ racers: at < 0 ? [...state.racers, chosen] : state.racers.map((one, i) => (i === at ? chosen : one)), isPlaying: true })
  }
  const text = regimesText(result)
  return (
    <>
      <h3>Momentum at each rate and β</h3>
      <Canvas
        class="regimes"
        label={`Momentum at each rate and β. ${text}`}
        when={[result, state.racers, isDark.value]}
        paint={(painting) => paintRegimes(painting, result, state)}
        onPointerDown={choose}
      />
      <p class="says">
        Blue: goes down without a swing; orange: swings in; the lighter, the sooner. Grey: does not arrive in {steps} steps; dark: diverges.
      </p>
      <p class="says">{text}</p>
    </>
  )
}

function paintRegimes({ context: c, width, height }: Painting, { rates, betas, regime, steps }: Regimes, state: DescentState): void {
  const picture = document.createElement('canvas')
  picture.width = rates.length
  picture.height = betas.length
  const context = picture.getContext('2d')!
  const arrived = Array.from(steps).filter((_, i) => regime[i] >= 2)
  const [low, high] = [Math.log(Math.min(...arrived, 1e9)), Math.log(Math.max(...arrived, 1))]
  regime.forEach((kind, i) => {
    const share = high > low ? (Math.log(Math.max(1, steps[i])) - low) / (high - low) : 0
    // the paler, the sooner
    const depth = 0.15 + 0.85 * share
    context.fillStyle = kind === 0 ? '#14161a' : kind === 1 ? '#8a939b' : css(signed(kind === 3 ? depth : -depth))
    context.fillRect(i % rates.length, betas.length - 1 - Math.floor(i / rates.length), 1, 1)
  })
  const [w, h] = [width - LEFT - RIGHT, height - TOP - BOTTOM]
  c.imageSmoothingEnabled = false
  c.drawImage(picture, LEFT, TOP, w, h)
  c.imageSmoothingEnabled = true
  const x = axisOf([rates[0], rates[rates.length - 1]], { log: true, from: LEFT, to: width - RIGHT, text: short })
  const yOf = (beta: number) => height - BOTTOM - (Math.log10(1 / (1 - beta)) / 2.5) * h
  c.font = '12px system-ui, sans-serif'
  c.fillStyle = token('soft')
  c.textAlign = 'center'
  for (const { place, text } of x.ticks) c.fillText(text, place, height - BOTTOM + 16)
  c.fillText('learning rate', LEFT + w / 2, height - 6)
  c.textAlign = 'right'
  for (const beta of [0, 0.5, 0.9, 0.99]) c.fillText(String(beta), LEFT - 6, yOf(beta) + 4)
  const now = state.racers.find(({ method }) => method === 'Momentum')
  if (!now) return
  c.beginPath()
  c.arc(Math.min(Math.max(x.place(now.rate), LEFT), width - RIGHT), Math.max(yOf(Number(now.options.beta ?? 0.9)), TOP), 6, 0, 2 * Math.PI)
  c.lineWidth = 2.5
  c.strokeStyle = '#ffffff'
  c.stroke()
  c.lineWidth = 1
  c.strokeStyle = '#000000'
  c.stroke()
}
