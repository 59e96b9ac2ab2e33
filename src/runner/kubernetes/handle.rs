//! Pure: the names of steps in a cluster.

/// The object that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handle<'a> {
    /// `namespace/name`: a Job.
    Job { namespace: &'a str, name: &'a str },
    /// `namespace/name=run`: the CronJob as applied by this run.
    Apply { namespace: &'a str, name: &'a str, run: &'a str },
    /// `namespace/name~run`: the removal of the CronJob.
    Withdraw { namespace: &'a str, name: &'a str },
}

impl<'a> Handle<'a> {
    /// None if the text is not the name of a step in a cluster.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (namespace, rest) = text.split_once('/')?;
        Some(if let Some((name, run)) = rest.split_once('=') {
            Self::Apply { namespace, name, run }
        } else if let Some((name, _)) = rest.split_once('~') {
            Self::Withdraw { namespace, name }
        } else {
            Self::Job { namespace, name: rest }
        })
    }
}

/// The step that is the Job of an attempt.
#[must_use]
pub fn job(namespace: &str, step: &str) -> String {
    format!("{namespace}/{step}")
}

/// The step of a run that applies the CronJob of a job.
#[must_use]
pub fn apply(namespace: &str, cron_job: &str, run: &str) -> String {
    format!("{namespace}/{cron_job}={run}")
}

/// The step of a run that removes the CronJob of a job.
#[must_use]
pub fn withdraw(namespace: &str, cron_job: &str, run: &str) -> String {
    format!("{namespace}/{cron_job}~{run}")
}

#[cfg(test)]
mod tests {
    use super::Handle;

    #[test]
    fn names_survive_a_round_trip() {
        let job = super::job("z1-a", "windlass-1-1");
        assert_eq!(Handle::parse(&job), Some(Handle::Job { namespace: "z1-a", name: "windlass-1-1" }));
        let apply = super::apply("z1-a", "windlass-2", "3");
        assert_eq!(Handle::parse(&apply), Some(Handle::Apply { namespace: "z1-a", name: "windlass-2", run: "3" }));
        let withdraw = super::withdraw("z1-a", "windlass-2", "3");
        assert_eq!(Handle::parse(&withdraw), Some(Handle::Withdraw { namespace: "z1-a", name: "windlass-2" }));
        assert_eq!(Handle::parse("windlass-1-1"), None);
    }
}
