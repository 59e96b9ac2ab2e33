// The OIDC provider where people sign in, and how they join an organization.

import { CONSOLE_SECRET, newKey, start } from '../oidc/provider.mjs'
import { check } from './check.mjs'

export { CONSOLE_SECRET }

/** Starts the provider for the console of this server. */
export function startProvider(port, url, key) {
  const redirect = `${url}/console/sign-in/callback`
  return Promise.resolve(key ?? newKey('console')).then((made) => start(port, [made], redirect))
}

/** Invites a person as a viewer, and accepts the invitation as that person. */
export async function join(person, email, admin, organization) {
  await admin.go(`/console/organization/${organization}/settings`)
  await admin.page.fill('main input[name=email]', email)
  await admin.press('Invite')
  await admin.sees(email)
  await person.visit('/console')
  await person.press('Accept')
  check(person.path() === `/console/organization/${organization}`, `accepting leads to ${person.path()}`)
}
