// Assertions and waits.

import { setTimeout as pause } from 'node:timers/promises'

/** How long anything may take on a busy machine, in milliseconds. */
export const PATIENCE = Number(process.env.PATIENCE ?? 60_000)

export function check(condition, what) {
  if (!condition) throw new Error(what)
}

/** Waits until `look` returns something that is true, and returns it. */
export async function until(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (Date.now() > deadline) throw new Error(`in vain: waiting until ${what}`)
    await pause(200)
  }
}
