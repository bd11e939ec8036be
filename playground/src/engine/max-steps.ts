/** Steps after which a net on the page trains no further. */
export const MAX_STEPS = 1_000_000
