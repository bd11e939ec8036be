/** The race of the Descent tab: tracks, what kinds of places were found, and the best rates, all computed by the worker. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { engineOnDemand } from '../engine/client'
import { latest } from '../engine/latest'
import { surfaceOf } from './functions'
import type { Verdict } from './inspect'
import { painted } from './rules'
import { type DescentState, descent, groundOf, raceOf } from './state'
import type { RaceInput, Track } from './track'

export interface Race {
  tracks: Signal<readonly (Track | null)[]>
  /** The kind of place where each racer came to rest. */
  stops: Signal<readonly (Verdict | null)[]>
  problem: Signal<string>
  /** The kind of place that is pointed at. */
  pointed: Signal<{ at: readonly [number, number]; verdict: Verdict } | null>
  /** The race from a place that is pointed at. */
  trace: Signal<Track | null>
  inspect(at: readonly [number, number]): void
  follow(start: [number, number]): void
  /** Gives racers the rates of a sweep: all, or the last one. */
  sweep(which: 'all' | 'last'): Promise<void>
  isSweeping: Signal<boolean>
  /** True if each racer is known to have its best rate. */
  areBest: boolean
}

export function useRace(worker: ReturnType<typeof engineOnDemand>, state: DescentState): Race {
  const tracks = useSignal<readonly (Track | null)[]>([])
  const problem = useSignal('')
  const pointed = useSignal<{ at: readonly [number, number]; verdict: Verdict } | null>(null)
  const stops = useSignal<readonly (Verdict | null)[]>([])
  const trace = useSignal<Track | null>(null)
  useEffect(() => {
    pointed.value = null
  }, [JSON.stringify([state.surface, groundOf(state)])])
  // If other races are requested meanwhile, as when the start is dragged, only the last of them runs.
  const [raceNow, inspect, follow] = useMemo(
    () => [
      latest(async (input: RaceInput) => {
        try {
          const result = await worker().ask('race', input)
          tracks.value = result
          stops.value = []
          stops.value = await Promise.all(
            result.map((track) =>
              track.end === 'diverged' || track.end === 'undefined'
                ? null
                : worker()
                    .ask('inspect', { ground: input.ground, at: lastOf(track) })
                    .catch(() => null),
            ),
          )
          problem.value = ''
        } catch (error) {
          problem.value = (error as Error).message
        }
      }),
      latest(async (at: readonly [number, number]) => {
        const verdict = await worker()
          .ask('inspect', { ground: groundOf(descent.state.value), at })
          .catch(() => null)
        pointed.value = verdict && { at, verdict }
      }),
      // The race from a place that is pointed at.
      latest(async (start: [number, number]) => {
        const input = raceOf(descent.state.value)
        const racer = input.racers[painted(descent.state.value)]
        if (racer)
          [trace.value] = await worker()
            .ask('race', { ...input, start, racers: [racer] })
            .catch(() => [null])
      }),
    ],
    [],
  )
  useEffect(() => {
    raceNow(raceOf(descent.state.value))
  }, [raceKeyOf(state)])
  const isSweeping = useSignal(false)
  /** The latest race whose rates are known to be the best, as a key. */
  const fair = useSignal(fairKeyOf(descent.defaults))
  const sweep = async (which: 'all' | 'last') => {
    const asked = descent.state.value
    const { racers, epsilon } = asked
    const { range, lowest } = surfaceOf(asked)
    const from = which === 'all' ? 0 : racers.length - 1
    isSweeping.value = true
    const rates = await worker()
      .ask('bestRates', { ...raceOf({ ...asked, racers: racers.slice(from) }), range, lowest, epsilon })
      .catch(() => [])
    isSweeping.value = false
    // Not where other racers have been chosen meanwhile.
    if (descent.state.value.racers !== racers) return
    const rated = racers.map((one, i) => ({ ...one, rate: rates[i - from] ?? one.rate }))
    descent.set({ racers: rated })
    // If the start or something else has changed meanwhile, these are the best rates of the race before.
    if (which === 'all' && rates.length > 0) fair.value = fairKeyOf({ ...asked, racers: rated })
  }

  const areBest = fair.value === fairKeyOf(state)
  return { tracks, stops, problem, pointed, trace, inspect, follow, sweep, isSweeping, areBest }
}

const raceKeyOf = (state: DescentState) => JSON.stringify([state.surface, raceOf(state)])
/** The best rates depend on ε as well. */
const fairKeyOf = (state: DescentState) => raceKeyOf(state) + state.epsilon

const lastOf = ({ path, steps }: Track): [number, number] => [path[2 * steps], path[2 * steps + 1]]
