// The pages of projects, environments, deployments and their variables.

import { check } from './check.mjs'
import { lifecycle } from './world.mjs'

/** Creates a project and an environment with the forms. */
export async function createEnvironment(me, organization) {
  await me.visit(`/console/organization/${organization}/environments`)
  await me.press('New project')
  await me.look()
  await me.fill({ Name: '  ' })
  await me.refused(400, () => me.press('Create the project'))
  await me.fill({ Name: 'browser', Description: 'Made in a browser' })
  await me.send('Create the project', 'The project was created.')
  await me.press('New environment in browser')
  await me.look()
  await me.fill({ Name: 'made here', Mode: 'Staging' })
  await me.send('Create the environment', 'The environment was created.')
  await me.look()
  return me.path().split('/').pop()
}

/** Changes, clones, deploys, stops and deletes an environment. */
export async function tendEnvironment(me, api, id) {
  const path = `/console/environment/${id}`
  await me.go(path)
  await me.press('Rename or change the mode')
  await me.look()
  await me.fill({ Name: 'renamed here' })
  await me.send('Save', 'The environment was changed.')
  await me.press('Clone')
  await me.look()
  await me.fill({ 'Name of the copy': 'copied here' })
  await me.send('Clone', 'This is the copy.')
  const copy = me.path()
  // A job that keeps its deployment open.
  await api.post(`/environment/${copy.split('/').pop()}/job`, lifecycle('slow', 'sleep 600'))
  await me.go(copy)
  await me.send('Deploy', 'The deployment was requested.')
  await me.page.getByRole('button', { name: 'Cancel and interrupt' }).waitFor()
  await me.look()
  // The stop waits for the deployment, so that it can be cancelled before it has begun.
  await me.send('Stop', 'The stop was requested.')
  const waiting = me.page.locator('#environment-history tr', { hasText: 'queued' }).locator('a[href*="/console/deployment/"]').first()
  await me.go(await waiting.getAttribute('href'))
  await me.look()
  await me.send('Cancel', 'The deployment was cancelled.')
  await me.look()
  await me.go(copy)
  await me.send('Cancel', 'The cancellation was requested. Commands that are running go on.')
  await me.click(me.page.locator('form[action$="/action/deploy"] button'))
  await me.send('Cancel and interrupt', 'also of the commands')
  await me.go(copy)
  await me.send('Stop', 'The stop was requested.')
  await me.send('Uninstall', 'The removal of what is deployed was requested.')
  await me.send('Delete', 'The environment is deleted')
}

/** Creates, changes, overrides, aliases, imports and deletes variables. */
export async function tendVariables(me, project, environment, job) {
  await me.visit(`/console/project/${project}/variables`)
  await me.press('New variable')
  await me.look()
  await me.fill({ Name: 'bad name', Value: 'kept' })
  await me.refused(400, () => me.press('Save'))
  check((await me.page.inputValue('#field-value')).trim() === 'kept', 'what was typed is lost')
  await me.fill({ Name: 'REGION', Value: 'north', Description: 'Where it runs' })
  await me.send('Save', 'The variable was created.')
  await me.visit(`/console/environment/${environment}/variables`)
  await me.press('Override REGION')
  await me.look()
  await me.fill({ 'Value here': 'south' })
  await me.send('Save', 'The variable was created.')
  await me.press('Alias REGION')
  await me.look()
  await me.fill({ Name: 'PLACE' })
  await me.send('Save', 'The variable was created.')
  await me.press('Import')
  await me.look()
  await me.fill({ Variables: 'ONE=1\nTWO' })
  await me.refused(400, () => me.press('Import'))
  await me.sees('line 2')
  await me.fill({ Variables: 'ONE=1\nTWO=2', 'All of them are secrets': true })
  await me.send('Import', 'The variables were imported.')
  await me.press('Edit ONE')
  await me.look()
  await me.fill({ 'Replace the value': true, 'New value': '11' })
  await me.send('Save', 'The variable was changed.')
  await me.look()
  await me.click(me.page.locator('tr', { hasText: 'TWO' }).getByRole('button', { name: 'Delete' }))
  await me.sees('The variable was deleted')
  await me.visit(`/console/job/${job}/variables`)
  await me.press('New variable')
  await me.look()
  await me.fill({ Name: 'OWN', Value: 'of the job' })
  await me.send('Save', 'The variable was created.')
  await me.sees('of the job')
}
