export const WITHOUT_CANARIES: readonly string[]
