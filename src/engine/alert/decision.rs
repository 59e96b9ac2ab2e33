//! Pure: the next state of an alert after its condition was seen to hold, whether it is told, and why.

use chrono::{DateTime, TimeDelta, Utc};
use entity::alert::AlertState;
use entity::alert_rule::Condition;

/// An alert that still holds is told again after this time, if its condition is seen again.
const REPEAT: TimeDelta = TimeDelta::hours(4);

/// What is stored about the alert.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub state: AlertState,
    pub since: DateTime<Utc>,
    pub times: i32,
    pub told_at: Option<DateTime<Utc>>,
}

/// That the condition holds.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub condition: Condition,
    pub at: DateTime<Utc>,
    /// Since when it holds, if it is new.
    pub since: DateTime<Utc>,
    /// How many runs failed in a row, and how many have to.
    pub in_a_row: usize,
    pub needed: usize,
    /// How long the condition has to hold.
    pub lasts: TimeDelta,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub state: AlertState,
    pub since: DateTime<Utc>,
    pub times: i32,
    /// When a pending alert has held for long enough.
    pub due_at: Option<DateTime<Utc>>,
    pub tells: bool,
    pub why: String,
}

/// Decides what follows from a condition that holds.
#[must_use]
pub fn decide(known: Option<Known>, seen: Seen) -> Decision {
    let since = known.map_or(seen.since, |known| known.since);
    let times = known.map_or(0, |known| known.times).saturating_add(1);
    let pending =
        |due_at, why: String| Decision { state: AlertState::Pending, since, times, due_at, tells: false, why };
    if seen.condition == Condition::RunRecovered {
        return pending(None, "told when a run succeeds".into());
    }
    if seen.in_a_row < seen.needed {
        return pending(None, format!("{} of {} runs failed in a row", seen.in_a_row, seen.needed));
    }
    let holds = |state, tells, why: &str| Decision { state, since, times, due_at: None, tells, why: why.into() };
    let known = known.map(|known| Known { state: unsilenced(known), ..known });
    match known.filter(|known| known.state != AlertState::Pending) {
        Some(known) if known.told_at.is_none() => holds(known.state, true, "told, because nobody was told before"),
        Some(known) if known.told_at.is_some_and(|told| told + REPEAT <= seen.at) => {
            holds(known.state, true, "told again, because it still holds after 4 hours")
        }
        Some(known) => holds(known.state, false, "not told again, because it was told less than 4 hours ago"),
        None if since + seen.lasts > seen.at => {
            pending(Some(since + seen.lasts), "waits until it has held for long enough".into())
        }
        None => holds(AlertState::Triggered, true, "told, because it is new"),
    }
}

/// Why an alert is not told that would be.
pub const NOBODY: &str = "nobody to tell: the rule has no receiver";

/// What a decision becomes if its rule has no receiver: whoever is one later is told.
#[must_use]
pub fn unheard(decision: Decision) -> Decision {
    if decision.tells { Decision { tells: false, why: NOBODY.into(), ..decision } } else { decision }
}

/// The state of an alert without regard to silences.
fn unsilenced(known: Known) -> AlertState {
    match (known.state, known.told_at) {
        (AlertState::Suppressed, Some(_)) => AlertState::Notified,
        (AlertState::Suppressed, None) => AlertState::Pending,
        (state, _) => state,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use entity::alert::AlertState;
    use entity::alert_rule::Condition;

    use super::{Known, NOBODY, Seen, decide, unheard};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn seen(seconds: i64) -> Seen {
        let lasts = TimeDelta::zero();
        Seen { condition: Condition::RunFailed, at: at(seconds), since: at(seconds), in_a_row: 1, needed: 1, lasts }
    }

    fn known(state: AlertState, told: Option<i64>) -> Option<Known> {
        Some(Known { state, since: at(0), times: 1, told_at: told.map(at) })
    }

    #[test]
    fn a_new_alert_is_told_once_and_again_after_hours() {
        let first = decide(None, seen(0));
        assert_eq!((first.state, first.tells, first.times), (AlertState::Triggered, true, 1));
        for state in [AlertState::Triggered, AlertState::Notified] {
            let soon = decide(known(state, Some(0)), seen(4 * 3600 - 1));
            assert_eq!((soon.state, soon.tells, soon.times), (state, false, 2));
            let later = decide(known(state, Some(0)), seen(4 * 3600));
            assert_eq!((later.state, later.tells), (state, true));
            assert_eq!(later.since, at(0), "since the first failure");
        }
    }

    #[test]
    fn an_alert_that_nobody_hears_is_told_later() {
        let first = unheard(decide(None, seen(0)));
        assert_eq!((first.state, first.tells, first.why.as_str()), (AlertState::Triggered, false, NOBODY));
        let second = decide(known(AlertState::Triggered, None), seen(60));
        assert_eq!((second.state, second.tells), (AlertState::Triggered, true));
        assert_eq!(second.why, "told, because nobody was told before");
        let soon = decide(known(AlertState::Notified, Some(0)), seen(60));
        assert_eq!(unheard(soon.clone()), soon, "what is not told anyway");
    }

    #[test]
    fn an_alert_waits_for_enough_failures() {
        let few = decide(None, Seen { in_a_row: 2, needed: 3, ..seen(0) });
        assert_eq!((few.state, few.due_at, few.tells), (AlertState::Pending, None, false));
        assert_eq!(few.why, "2 of 3 runs failed in a row");
        let enough = decide(known(AlertState::Pending, None), Seen { in_a_row: 3, needed: 3, ..seen(9) });
        assert_eq!((enough.state, enough.tells), (AlertState::Triggered, true));
    }

    #[test]
    fn an_alert_waits_until_it_has_held_for_long_enough() {
        let lasts = TimeDelta::seconds(60);
        let new = decide(None, Seen { lasts, ..seen(0) });
        assert_eq!((new.state, new.due_at, new.tells), (AlertState::Pending, Some(at(60)), false));
        let still = decide(known(AlertState::Pending, None), Seen { lasts, ..seen(59) });
        assert_eq!(still.due_at, Some(at(60)), "a second failure does not extend it");
        let over = decide(known(AlertState::Pending, None), Seen { lasts, ..seen(60) });
        assert_eq!((over.state, over.tells), (AlertState::Triggered, true));
    }

    #[test]
    fn a_suppressed_alert_is_told_when_it_is_seen_without_a_silence() {
        let seen_again = decide(known(AlertState::Suppressed, None), seen(9));
        assert_eq!((seen_again.state, seen_again.tells), (AlertState::Triggered, true));
        let told_before = decide(known(AlertState::Suppressed, Some(0)), seen(9));
        assert!(!told_before.tells, "it was told before the silence began");
        assert_eq!(told_before.state, AlertState::Notified);
    }

    #[test]
    fn a_recovery_is_armed_by_a_failure() {
        let armed = decide(None, Seen { condition: Condition::RunRecovered, ..seen(0) });
        assert_eq!((armed.state, armed.due_at, armed.tells), (AlertState::Pending, None, false));
    }
}
