/**
 * `make nightly` sets GRADUS_NIGHTLY and runs in full the tests that the suite shortens. Tests of the suite must not depend on the load of the
 * machine, so only the nightly run checks promises of time.
 */
export const NIGHTLY = Boolean(process.env.GRADUS_NIGHTLY)

/** Number of random cases: all of them at night, a tenth in the suite. */
export const cases = (inFull: number): number => (NIGHTLY ? inFull : Math.ceil(inFull / 10))

/** A limit of milliseconds: the promise at night, none in the suite, where no outcome depends on speed. A test that hangs ends at its timeout. */
export const milliseconds = (promised: number): number => (NIGHTLY ? promised : Number.POSITIVE_INFINITY)
