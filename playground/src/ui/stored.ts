/** Choices that the browser remembers; a page without storage forgets them. */

export function stored(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

export function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // nothing to remember it in
  }
}
