/**
 * The clock: milliseconds from a fixed moment, which never go back. Everything in ts/ that measures time reads it here, because measured times
 * decide how long a block of steps is, when training gives way, when a budget or a deadline is over, which tile a product uses. None of
 * these decisions may change a bit of a result. Tests put clocks of their own in the place of `now`, which jump and stand still
 * (test/train/clock.fuzz.test.ts); test/build/clock.test.ts keeps other readings of a clock out of ts/.
 */
export const clock = { now: (): number => performance.now() }
