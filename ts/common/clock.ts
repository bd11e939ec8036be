/**
 * The clock: milliseconds from a fixed moment, which never go back. Everything in ts/ that measures time reads it here, because measured times decide
 * the length of a block of steps, the moments when training yields, the end of a budget or deadline, and the tile of a product. None of these
 * decisions may change a bit of a result. Tests replace `now` by clocks that jump and stand still (test/train/clock.fuzz.test.ts);
 * test/build/clock.test.ts keeps other readings of a clock out of ts/.
 */
export const clock = { now: (): number => performance.now() }
