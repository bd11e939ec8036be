/**
 * What `make nightly` does in full and the suite in short: GRADUS_NIGHTLY is set there. Tests of the suite must not depend on how busy
 * the machine is, so promises of time are kept to there.
 */
export const NIGHTLY = Boolean(process.env.GRADUS_NIGHTLY)

/** Number of random cases: all of them at night, a tenth in the suite. */
export const cases = (inFull: number): number => (NIGHTLY ? inFull : Math.ceil(inFull / 10))

/** A limit of milliseconds: the promise at night, ten times that in the suite. What takes quadratic time exceeds both. */
export const milliseconds = (promised: number): number => (NIGHTLY ? promised : 10 * promised)
