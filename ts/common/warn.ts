const warned = new Set<string>()

/** A warning on the console, the first time that it is given. */
export function warnOnce(text: string): void {
  if (!warned.has(text)) console.warn(`gradus: ${text}`)
  warned.add(text)
}
