/** A training that somebody watches: it plays, pauses, goes to a step, and sends no picture before the page has shown the one before. */
import type { Context } from './context'
import { MAX_STEPS } from './max-steps'

/** How a training goes on. */
export interface Pace {
  /** The step up to which it trains before anything is shown. */
  at: number
  isPlaying: boolean
  /** Number of steps per second; 0 for as many as possible. */
  speed: number
}

export type PaceMessage =
  | { type: 'play'; isPlaying: boolean }
  | { type: 'speed'; speed: number }
  | { type: 'steps'; count: number }
  | { type: 'seen' }

export interface Paced<Message> {
  /** The step that it has reached. */
  step(): number
  /** True while it can go on. */
  isAlive(): boolean
  /** Trains until a step, or until a time of `performance.now` if that comes first. */
  advance(until: number, deadline: number): void
  show(stepsPerSecond: number): void | Promise<void>
  /** Takes a message of its own; true if there is something new to show. */
  receive(message: Message): boolean | Promise<boolean>
}

const FRAME = 33

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Trains until the page stops it. */
export async function paced<Message extends { type: string }>(
  pace: Pace,
  context: Pick<Context<unknown>, 'messages' | 'isStopped' | 'breathe'>,
  { step, isAlive, advance, show, receive }: Paced<Message>,
): Promise<void> {
  let { at: goal, isPlaying, speed } = pace
  let due = 0
  let isShown = false
  let isSeen = true
  let stepsPerSecond = 0
  while (!context.isStopped) {
    for (const message of context.messages() as (PaceMessage | Message)[]) {
      if (message.type === 'seen') {
        isSeen = true
        continue
      }
      const own = message as PaceMessage
      if (own.type === 'play') isPlaying = own.isPlaying
      else if (own.type === 'speed') speed = own.speed
      else if (own.type === 'steps') goal = Math.min(step() + own.count, MAX_STEPS)
      else if (!(await receive(message as Message))) continue
      isShown = false
    }
    const start = performance.now()
    const before = step()
    if (!isAlive() || before >= MAX_STEPS) {
      goal = before
      isPlaying = false
    }
    if (before < goal) advance(goal, start + 200)
    else if (isPlaying) {
      due += speed === 0 ? Number.POSITIVE_INFINITY : (speed * FRAME) / 1000
      const until = Math.min(speed === 0 ? MAX_STEPS : before + Math.floor(due), MAX_STEPS)
      due = speed === 0 ? 0 : due - Math.floor(due)
      advance(until, start + FRAME)
    }
    const taken = step() - before
    if (taken > 0) {
      isShown = false
      stepsPerSecond = (1000 * taken) / (performance.now() - start)
    }
    if (step() >= goal && !isShown && isSeen) {
      await show(stepsPerSecond)
      isShown = true
      isSeen = false
    }
    const rest = FRAME - (performance.now() - start)
    if (!isPlaying && step() >= goal) await pause(20)
    else if (rest > 1 && speed !== 0 && step() >= goal) await pause(rest)
    else await context.breathe()
  }
}
