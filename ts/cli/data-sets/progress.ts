/** Progress of training: a live bar at a terminal, plain lines elsewhere, nothing if it was not requested. */
import type { Progress } from '../../index.js'
import { LiveBar } from '../terminal/bar.js'
import { duration, percent, whole } from '../terminal/format.js'
import { isLive, print } from '../terminal/terminal.js'

/** Receives the events of a training. */
export interface Reporter {
  progress(progress: Progress): void
  epoch(progress: Progress, seconds: number): void
  end(): void
}

/** The reporter that suits the output. */
export function reporter(silent: boolean): Reporter {
  if (silent) return { progress: () => {}, epoch: () => {}, end: () => {} }
  return isLive() ? new BarReporter() : new LineReporter()
}

/** Number of epochs up to which each has its line; with more or faster epochs, some are left out. */
const MAX_LINES = 20
const SLOW_EPOCH = 1

function hasLine({ epoch, epochs }: Progress, seconds: number): boolean {
  return seconds >= SLOW_EPOCH || epoch === 1 || epoch === epochs || epoch % Math.ceil(epochs / MAX_LINES) === 0
}

class BarReporter implements Reporter {
  private bar: LiveBar | null = null

  progress(p: Progress): void {
    this.bar ??= new LiveBar(p.epochs * p.batchesPerEpoch)
    this.bar.update(p.step, epochTitle(p), facts(p))
  }

  epoch(p: Progress, seconds: number): void {
    this.progress(p)
    if (hasLine(p, seconds)) this.bar?.above(() => print(epochLine(p, seconds)))
  }

  end(): void {
    this.bar?.stop()
  }
}

/** Seconds between two lines within an epoch. */
const PATIENCE = 10

class LineReporter implements Reporter {
  private last = performance.now()

  progress(p: Progress): void {
    if (performance.now() - this.last < 1000 * PATIENCE) return
    this.last = performance.now()
    print(`${epochTitle(p)}, batch ${whole(p.batch)} of ${whole(p.batchesPerEpoch)}: ${facts(p).join(', ')}`)
  }

  epoch(p: Progress, seconds: number): void {
    this.last = performance.now()
    if (hasLine(p, seconds)) print(epochLine(p, seconds))
  }

  end(): void {}
}

function epochTitle({ epoch, epochs }: Progress): string {
  return `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`
}

/** Most important first: a narrow terminal drops the last ones. */
function facts(p: Progress): string[] {
  return [
    `loss ${p.loss.toFixed(4)}`,
    `${percent(p.metrics.accuracy, 1)} right`,
    `${duration(p.secondsLeft)} left`.padStart(10),
    `${whole(p.samplesPerSecond)} samples/s`,
  ]
}

function epochLine(p: Progress, seconds: number): string {
  const test = percent(p.validation?.accuracy ?? Number.NaN)
  return `${epochTitle(p)}  train loss ${p.loss.toFixed(4)}  test accuracy ${test}  ${duration(seconds)}`
}
