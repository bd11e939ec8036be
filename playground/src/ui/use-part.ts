/** Parts of the page that are fetched when somebody asks for them. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

/** A module that is fetched once it is wanted; null until it is here. */
export function usePart<Module>(isWanted: boolean, fetch: () => Promise<Module>): Module | null {
  const part = useSignal<Module | null>(null)
  useEffect(() => {
    if (isWanted && !part.value) fetch().then((module) => (part.value = module))
  }, [isWanted])
  return part.value
}
