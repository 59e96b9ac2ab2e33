// Tests how Windlass handles the tokens of an OIDC provider: node main.mjs PORT WINDLASS-URL CHROMIUM
//
// Windlass must be configured with http://127.0.0.1:PORT as its issuer. Prints JWT=... when all checks have passed, and
// keeps the provider running until this process is killed.

import { deepStrictEqual } from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { argv, exit } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'

import { callback, login, openBrowser } from './login.mjs'
import { API, AUDIENCE, BRIEF, BRIEF_API, newKey, OTHER_API, start } from './provider.mjs'

const [port, windlass, executable] = argv.slice(2)

async function status(token, scheme = 'Bearer') {
  const response = await fetch(`${windlass}/account`, { headers: { Authorization: `${scheme} ${token}` } })
  const body = await response.json()
  if (response.status === 200 && body.first_name === undefined) throw new Error(JSON.stringify(body))
  return response.status
}

async function becomes(token, wanted, seconds) {
  const deadline = Date.now() + seconds * 1000
  while ((await status(token)) !== wanted) {
    if (Date.now() > deadline) throw new Error(`the status is still not ${wanted} after ${seconds} s`)
    await pause(1000)
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Tokens that an attacker without the private key can forge from a valid token. */
function forged(token, key) {
  const [, payload] = token.split('.')
  const pem = createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const signed = (header) => `${part(header)}.${payload}`
  const hmac = (text) => `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
  return {
    'no signature': `${signed({ alg: 'none', typ: 'at+jwt' })}.`,
    'no signature, with a key ID': `${signed({ alg: 'none', typ: 'at+jwt', kid: key.kid })}.`,
    'the public key as an HMAC secret': hmac(signed({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })),
    'another payload': token.replace(payload, part({ ...JSON.parse(Buffer.from(payload, 'base64url')), sub: 'root' })),
  }
}

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

async function main() {
  const back = await callback()
  const browser = await openBrowser(executable)
  const [first, second] = [await newKey('first'), await newKey('second')]
  const provider = await start(Number(port), [first], back.redirect)
  const token = await login(browser, provider.issuer, back, API, 'alice')
  deepStrictEqual([claims(token).aud, claims(token).iss], [AUDIENCE, provider.issuer])
  deepStrictEqual([await status(token), await status(token, 'Token')], [200, 200], 'a valid token')

  const refusals = forged(token, first)
  refusals['another audience'] = await login(browser, provider.issuer, back, OTHER_API, 'alice')
  // Another issuer with the same key.
  const stranger = await start(0, [first], back.redirect)
  refusals['another issuer'] = await login(browser, stranger.issuer, back, API, 'alice')
  stranger.close()
  for (const [what, refused] of Object.entries(refusals)) deepStrictEqual(await status(refused), 401, what)

  const brief = await login(browser, provider.issuer, back, BRIEF_API, 'bob')
  deepStrictEqual(await status(brief), 200, 'a short-lived token')
  // Rotate the keys. Windlass fetches keys at most once a minute, so it knows the new one within that time.
  provider.renew([second])
  const young = await login(browser, provider.issuer, back, API, 'alice')
  deepStrictEqual(await status(token), 200, 'the old key is valid until the keys are fetched again')
  await Promise.all([becomes(young, 200, 75), becomes(brief, 401, 60 + BRIEF + 15)])
  deepStrictEqual(await status(token), 401, 'a token signed with a withdrawn key')
  await browser.close()
  back.close()
  console.log(`JWT=${young}`)
  console.log('OIDC: browser login, expiry, key rotation, and ' + Object.keys(refusals).length + ' rejected tokens')
}

main().catch((error) => {
  console.error(error)
  exit(1)
})
