// The routes of the console, read from its source, so that a page or an action that no test visits is noticed.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROUTE = /\.at\(\s*"([^"]+)",\s*([^\n]*?)\)\s*(?:;|\n|$)/g
/** An arm of a match on a part of an address. */
const WORD = /^\s*("[a-z-]+"(?: \| "[a-z-]+")*) =>/gm

function sources(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sources(path)
    return name.endsWith('.rs') ? [path] : []
  })
}

/** The words that a route with `:word` knows: those that the files beside it match on. */
function words(folder) {
  const found = new Set()
  for (const path of sources(folder)) {
    const [, body] = readFileSync(path, 'utf8').split('match word.as_str() {', 2)
    if (!body) continue
    const text = readFileSync(path, 'utf8')
    for (const [, arm] of text.slice(text.indexOf('match word.as_str() {')).matchAll(WORD)) {
      for (const word of arm.split(' | ')) found.add(word.slice(1, -1))
    }
  }
  return [...found]
}

/** All routes below /console: "GET /job/:id". */
export function routes(source) {
  const found = new Set()
  for (const path of sources(source)) {
    for (const [, route, methods] of readFileSync(path, 'utf8').matchAll(ROUTE)) {
      const all = [/\bget\(/.test(methods) && 'GET', /\bpost\(/.test(methods) && 'POST'].filter(Boolean)
      const paths = route.includes(':word') ? words(dirname(path)).map((word) => route.replace(':word', word)) : [route]
      for (const method of all) for (const each of paths) found.add(`${method} ${each}`)
    }
  }
  if (found.size < 60) throw new Error(`only ${found.size} routes were found in ${source}`)
  return [...found]
}

/** The route that answers a request; of several, the one with the fewest parameters. */
export function routeOf(all, method, path) {
  const parts = (path.replace(/^\/console/, '') || '/').split('/')
  const fits = (route) => {
    const wanted = route.split(' ')[1].split('/')
    return wanted.length === parts.length && wanted.every((part, at) => part.startsWith(':') ? parts[at] !== '' : part === parts[at])
  }
  const parameters = (route) => route.split(':').length
  const found = all.filter((route) => route.startsWith(`${method} `) && fits(route))
  return found.sort((one, other) => parameters(one) - parameters(other))[0]
}
