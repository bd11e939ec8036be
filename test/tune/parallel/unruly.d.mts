export const kindOf: (number: number, seed: number) => string
