/** Learning-rate schedules over a whole run, by name. */
import { schedules } from '../../index.js'

type Course = (learningRate: number, steps: number) => schedules.Schedule

const COURSES = {
  constant: (learningRate) => schedules.constant(learningRate),
  linear: (learningRate, steps) => schedules.linear(learningRate, 0, steps),
  cosine: (learningRate, steps) => schedules.cosine(learningRate, { steps }),
  exponential: (learningRate, steps) => schedules.exponential(learningRate, { factor: 0.01, every: steps }),
  step: (learningRate, steps) => schedules.stepDecay(learningRate, { every: Math.ceil(steps / 3) }),
  warmup: (learningRate, steps) => schedules.warmup(schedules.linear(learningRate, 0, steps), { steps: Math.ceil(steps / 10) }),
} satisfies Record<string, Course>

export type ScheduleName = keyof typeof COURSES
export const SCHEDULE_NAMES = Object.keys(COURSES) as ScheduleName[]

/** The learning rate of each of `steps` steps, counted from 0; taken half a step later, so that it is never quite 0. */
export function schedule(name: ScheduleName, learningRate: number, steps: number): schedules.Schedule {
  const course = COURSES[name](learningRate, steps)
  return (step) => course(Math.min(step, steps - 1) + 0.5)
}
