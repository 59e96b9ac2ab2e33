// Assertions on responses.

import { deepStrictEqual, ok } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

/** The result of a call of an SDK that is based on axios. */
type Call<T> = Promise<{ status: number; data: T }>

/** Matches a value of which only the form is known. */
export type Form = (value: unknown) => boolean

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

export const anId: Form = (value) => typeof value === 'string' && UUID.test(value)
export const aTime: Form = (value) => typeof value === 'string' && TIME.test(value)
export const aText: Form = (value) => typeof value === 'string' && value.length > 0
export const aNumber: Form = (value) => typeof value === 'number' && Number.isFinite(value)

/** The expected value of a `T`: every field of it, and no other field. */
export type Expected<T> = Form | { [Key in keyof T]: T[Key] | Form | Expected<T[Key]> }

/** Compares a response with the expected value, field by field; no field may be missing or added. */
export function same<T>(actual: T, expected: Expected<T>, path = 'answer'): void {
  if (typeof expected === 'function') {
    ok((expected as Form)(actual), `${path} is ${JSON.stringify(actual)}`)
  } else if (typeof expected === 'object' && expected !== null && !Array.isArray(expected)) {
    ok(typeof actual === 'object' && actual !== null, `${path} is ${JSON.stringify(actual)}`)
    const [found, wanted] = [Object.keys(actual as object).sort(), Object.keys(expected).sort()]
    deepStrictEqual(found, wanted, `${path} has the fields ${found}, not ${wanted}`)
    for (const key of wanted) {
      same((actual as any)[key], (expected as any)[key], `${path}.${key}`)
    }
  } else {
    deepStrictEqual(actual, expected as T, `${path} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)
  }
}

/** The body of a response, which must have this status. */
export async function answer<T>(status: number, call: Call<T>): Promise<T> {
  try {
    const response = await call
    const { method, url } = (response as any).config
    deepStrictEqual(response.status, status, `${method} ${url} returned ${response.status}`)
    return response.data
  } catch (error: any) {
    if (!error.isAxiosError) throw error
    const { config, response } = error
    throw new Error(`${config?.method} ${config?.url}: ${response?.status} ${JSON.stringify(response?.data)}`)
  }
}

/** The error body of a call, which must fail with this status. */
export async function refused(status: number, call: Call<unknown>): Promise<any> {
  try {
    await call
  } catch (error: any) {
    if (!error.isAxiosError) throw error
    deepStrictEqual(error.response?.status, status, JSON.stringify(error.response?.data))
    return error.response?.data
  }
  throw new Error(`a call succeeded that must fail with ${status}`)
}

/** Polls until a value satisfies a condition. */
export async function until<T>(what: string, ask: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 90_000
  for (;;) {
    const value = await ask()
    if (done(value)) return value
    ok(Date.now() < deadline, `${what}: ${JSON.stringify(value)}`)
    await pause(200)
  }
}
