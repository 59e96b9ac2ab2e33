// Logs in with a browser through the authorization code flow with PKCE, and gets an access token.

import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'

import { CLIENT } from './provider.mjs'

/** A server for the redirect URI, which receives the authorization codes. */
export async function callback() {
  const codes = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://host')
    if (searchParams.has('code') || searchParams.has('error')) codes.push(searchParams)
    response.end('You can close this page.')
  })
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  const redirect = `http://127.0.0.1:${server.address().port}/callback`
  return { redirect, codes, close: () => server.close() }
}

export async function openBrowser(executablePath) {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
}

/** Logs a person in at `issuer` and returns an access token for a resource. */
export async function login(browser, issuer, { redirect, codes }, resource, person) {
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  const context = await browser.newContext()
  const page = await context.newPage()
  const query = new URLSearchParams({
    client_id: CLIENT,
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid jobs',
    resource,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'of the tour',
  })
  await page.goto(`${discovery.authorization_endpoint}?${query}`)
  await page.fill('input[name=login]', person)
  await page.fill('input[name=password]', 'any')
  await page.click('button[type=submit]')
  // The consent page.
  await page.click('button[type=submit]')
  await page.waitForURL((url) => url.href.startsWith(redirect))
  await context.close()
  const back = codes.pop()
  if (back?.get('state') !== 'of the tour' || !back.get('code')) throw new Error(`the login failed: ${back}`)
  const response = await fetch(discovery.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT,
      code: back.get('code'),
      redirect_uri: redirect,
      code_verifier: verifier,
      resource,
    }),
  })
  const answer = await response.json()
  if (!answer.access_token) throw new Error(`no access token: ${JSON.stringify(answer)}`)
  return answer.access_token
}
