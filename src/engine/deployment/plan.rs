//! Pure: the effects of a deployment on one job.

use entity::deployment::Action;
use entity::job;
use entity::job_spec::{Command, JobSpec, Schedule};
use entity::run::Event;

/// What happens to the deployed configuration of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployed {
    /// It stays unchanged.
    Kept,
    /// It is replaced by the current configuration.
    Replaced,
    /// It is removed: the job is no longer deployed.
    Removed,
}

/// The effects of a deployment on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub deployed: Deployed,
    /// The event whose command runs once; the deployment waits for it.
    pub run: Option<Event>,
}

/// What there is of a job before a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// Whether an earlier deployment of the job was started.
    pub deployed: bool,
    /// Whether its image exists, if it has to be built.
    pub built: bool,
}

/// The effects of `action` on a job with this schedule. A forced event runs its command and leaves the schedule unchanged. A removal
/// runs nothing if there is nothing to remove.
#[must_use]
pub fn plan(action: Action, forced: Option<Event>, schedule: &Schedule, past: Past) -> Plan {
    if forced.is_some() {
        return Plan { deployed: Deployed::Kept, run: forced };
    }
    let (deployed, event) = match action {
        Action::Deploy => (Deployed::Replaced, Event::Start),
        Action::Stop => (Deployed::Removed, Event::Stop),
        Action::Delete | Action::Uninstall => (Deployed::Removed, Event::Delete),
    };
    let runs = matches!(schedule, Schedule::Lifecycle { .. }) && command(schedule, event).is_some();
    let possible = match action {
        // A deployment builds the image first.
        Action::Deploy => true,
        Action::Stop => past.built,
        Action::Delete | Action::Uninstall => past.built && past.deployed,
    };
    Plan { deployed, run: (runs && possible).then_some(event) }
}

/// The events that a schedule has a command for.
#[must_use]
pub fn events(schedule: &Schedule) -> Vec<Event> {
    let all = [Event::Cron, Event::Start, Event::Stop, Event::Delete];
    all.into_iter().filter(|event| command(schedule, *event).is_some()).collect()
}

/// The command of an event; `None` if the job has none.
#[must_use]
pub fn command(schedule: &Schedule, event: Event) -> Option<&Command> {
    match (schedule, event) {
        (Schedule::Cron { command, .. }, Event::Cron) => Some(command),
        (Schedule::Lifecycle { on_start, .. }, Event::Start) => on_start.as_ref(),
        (Schedule::Lifecycle { on_stop, .. }, Event::Stop) => on_stop.as_ref(),
        (Schedule::Lifecycle { on_delete, .. }, Event::Delete) => on_delete.as_ref(),
        (Schedule::Cron { .. } | Schedule::Lifecycle { .. } | Schedule::Check { .. }, _) => None,
    }
}

/// Whether an image must be built first. A deployment always builds (an image that is already there is reused); a run
/// without a deployment builds only if the job was never built.
#[must_use]
pub fn needs_build(plan: Plan, spec: &JobSpec, job: &job::Model) -> bool {
    let from_git = spec.source.is_built();
    match plan.deployed {
        Deployed::Replaced => from_git,
        Deployed::Kept => from_git && plan.run.is_some() && job.built.is_none(),
        Deployed::Removed => false,
    }
}

#[cfg(test)]
mod tests {
    use entity::deployment::Action;
    use entity::job_spec::{Command, Schedule};
    use entity::run::Event;

    use super::{Deployed, Past, Plan, plan};

    const KNOWN: Past = Past { deployed: true, built: true };

    #[test]
    fn plans() {
        let cron =
            Schedule::Cron { scheduled_at: "* * * * *".into(), timezone: "UTC".into(), command: Command::default() };
        let start_only = Schedule::Lifecycle {
            on_start: Some(Command::default()),
            on_stop: None,
            on_delete: None,
            lifecycle_type: Default::default(),
        };
        let cases = [
            (Action::Deploy, None, &cron, Deployed::Replaced, None),
            (Action::Stop, None, &cron, Deployed::Removed, None),
            (Action::Delete, None, &cron, Deployed::Removed, None),
            (Action::Uninstall, None, &cron, Deployed::Removed, None),
            (Action::Deploy, Some(Event::Cron), &cron, Deployed::Kept, Some(Event::Cron)),
            (Action::Deploy, None, &start_only, Deployed::Replaced, Some(Event::Start)),
            (Action::Stop, None, &start_only, Deployed::Removed, None),
            (Action::Deploy, Some(Event::Start), &start_only, Deployed::Kept, Some(Event::Start)),
        ];
        for (action, forced, schedule, deployed, run) in cases {
            assert_eq!(plan(action, forced, schedule, KNOWN), Plan { deployed, run }, "{action:?} {forced:?}");
        }
    }

    #[test]
    fn a_removal_runs_nothing_where_nothing_was_made() {
        let command = Some(Command::default());
        let all = Schedule::Lifecycle {
            on_start: command.clone(),
            on_stop: command.clone(),
            on_delete: command,
            lifecycle_type: Default::default(),
        };
        let never_built = Past { built: false, ..KNOWN };
        let never_deployed = Past { deployed: false, ..KNOWN };
        for (action, past, run) in [
            (Action::Stop, KNOWN, Some(Event::Stop)),
            (Action::Delete, KNOWN, Some(Event::Delete)),
            (Action::Uninstall, KNOWN, Some(Event::Delete)),
            (Action::Stop, never_built, None),
            (Action::Delete, never_built, None),
            (Action::Uninstall, never_built, None),
            (Action::Stop, never_deployed, Some(Event::Stop)),
            (Action::Delete, never_deployed, None),
            (Action::Uninstall, never_deployed, None),
            (Action::Deploy, never_built, Some(Event::Start)),
            (Action::Deploy, never_deployed, Some(Event::Start)),
        ] {
            assert_eq!(plan(action, None, &all, past).run, run, "{action:?} {past:?}");
        }
        let forced = plan(Action::Deploy, Some(Event::Delete), &all, never_built);
        assert_eq!(forced.run, Some(Event::Delete), "what is requested by name is built first");
    }
}
