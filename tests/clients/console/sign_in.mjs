// Signs in with a link, with an API token, and with an account at the OIDC provider.

import { check } from './check.mjs'
import { Visitor } from './visitor.mjs'

/** The link of the first start works once; a wrong token is refused, a right one leads to the page that was wanted. */
export async function signIn(scene, me, link, token) {
  const { page } = me
  await me.go(link)
  check(/^\/console\/organization\/[^/]+$/.test(me.path()), `the link leads to ${me.path()}`)
  await me.press('Sign out', 'header')
  check(me.path() === '/console/sign-in', `signing out leads to ${me.path()}`)
  await me.look()
  await me.refused(401, () => page.goto(link))
  await me.sees('This link has been used')
  await page.goto('/console/account')
  await page.getByLabel('API token').fill('windlass_wrong')
  await me.refused(401, () => me.press('Sign in'))
  await me.sees('no valid API token')
  await page.goto('/console/account')
  await page.getByLabel('API token').fill(token)
  await me.press('Sign in')
  check(me.path() === '/console/account', `the sign-in leads to ${me.path()}`)
  await me.go('/console')
}

/** Signs a person in with their account, from a page that needs it. */
export async function withAccount(scene, issuer, person) {
  const them = await Visitor.open(scene)
  them.elsewhere = [issuer]
  const { page } = them
  await page.goto('/console/account')
  await them.press('Sign in with your account')
  await page.fill('input[name=login]', person)
  await page.fill('input[name=password]', 'any')
  await page.click('button[type=submit]')
  // The consent page of the provider.
  await page.click('button[type=submit]')
  await page.waitForURL((url) => url.href.startsWith(`${scene.url}/console/account`))
  await them.sees(`${person}@example.invalid`)
  // The pages of the provider are its own.
  them.faults.splice(0, them.faults.length, ...them.faults.filter((fault) => !fault.startsWith(issuer)))
  return them
}

/** What the provider is asked to send back is checked: nobody is signed in by somebody else's answer. */
export async function refusesForeignAnswers(scene) {
  const them = await Visitor.open(scene)
  await them.refused(401, () => them.page.goto('/console/sign-in/callback?code=of-somebody-else&state=theirs'))
  await them.sees('begun in another browser')
  check((await them.context.cookies()).every((cookie) => cookie.name !== 'windlass_session'), 'a foreign answer signed somebody in')
  await them.close()
}
