//! Pure: the state machine of a run.

use entity::run::RunState;

/// An event in the life of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// A server claimed the run.
    Claimed,
    /// An attempt failed, and another one follows.
    Retried,
    Succeeded,
    Failed,
    /// The runner no longer knows the run, which may still be running elsewhere.
    Lost,
    /// The run was cancelled by request.
    Cancelled,
    /// The run was queued for too long.
    Expired,
}

/// The state after an event; `None` if the event cannot happen in that state.
#[must_use]
pub fn next_state(state: RunState, event: RunEvent) -> Option<RunState> {
    match (state, event) {
        (RunState::Queued, RunEvent::Claimed) => Some(RunState::Running),
        (RunState::Running, RunEvent::Retried) => Some(RunState::Queued),
        (RunState::Running, RunEvent::Succeeded) => Some(RunState::Succeeded),
        (RunState::Running, RunEvent::Failed | RunEvent::Lost) => Some(RunState::Failed),
        (RunState::Queued | RunState::Running, RunEvent::Cancelled) => Some(RunState::Cancelled),
        (RunState::Queued, RunEvent::Expired) => Some(RunState::Failed),
        (RunState::Queued, RunEvent::Retried | RunEvent::Succeeded | RunEvent::Failed | RunEvent::Lost)
        | (RunState::Running, RunEvent::Claimed | RunEvent::Expired)
        | (RunState::Succeeded | RunState::Failed | RunState::Cancelled, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use entity::run::RunState;

    use super::{RunEvent, next_state};

    const STATES: [RunState; 5] =
        [RunState::Queued, RunState::Running, RunState::Succeeded, RunState::Failed, RunState::Cancelled];

    const EVENTS: [RunEvent; 7] = [
        RunEvent::Claimed,
        RunEvent::Retried,
        RunEvent::Succeeded,
        RunEvent::Failed,
        RunEvent::Lost,
        RunEvent::Cancelled,
        RunEvent::Expired,
    ];

    #[test]
    fn every_state_with_every_event() {
        let table: Vec<String> = STATES
            .iter()
            .map(|state| {
                EVENTS
                    .iter()
                    .map(|event| next_state(*state, *event).map_or("-".into(), |to| format!("{to:?}")))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            table,
            [
                "Running - - - - Cancelled Failed",
                "- Queued Succeeded Failed Failed Cancelled -",
                "- - - - - - -",
                "- - - - - - -",
                "- - - - - - -",
            ]
        );
        for state in STATES {
            assert_eq!(state.is_final(), EVENTS.iter().all(|event| next_state(state, *event).is_none()));
        }
    }
}
