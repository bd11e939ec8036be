/** Writes the program of a worker as text; see worker.mjs. */
export function writeWorker(): void
