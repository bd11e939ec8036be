export const UNIT: readonly string[]
export const EXTERNAL: Readonly<Record<string, string>>
export function tierOf(file: string): 'unit' | 'external' | undefined
export const testFilesIn: (folder: string) => string[]
export const leftOut: (folder: string, tier: string | undefined) => string[]
