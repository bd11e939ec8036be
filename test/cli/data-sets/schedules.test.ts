/** Courses of the learning rate by name. */
import { describe, expect, test } from 'vitest'
import { SCHEDULE_NAMES, schedule } from '../../../ts/cli/data-sets/schedules.js'

describe('schedules', () => {
  test('schedules begin at the learning rate or below and stay positive', () => {
    for (const name of SCHEDULE_NAMES) {
      const rates = Array.from({ length: 100 }, (_, step) => schedule(name, 0.5, 100)(step))
      expect(Math.max(...rates)).toBeLessThanOrEqual(0.5)
      expect(Math.max(...rates)).toBeGreaterThan(0.45)
      expect(Math.min(...rates)).toBeGreaterThan(0)
    }
  })
})
