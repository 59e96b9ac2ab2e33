//! Pure: why a receiver did not accept a message, and when it is sent again.

use chrono::TimeDelta;

/// The pauses before the first retries; the last one repeats.
const PAUSES: [TimeDelta; 5] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(2),
    TimeDelta::minutes(5),
    TimeDelta::minutes(10),
];
const LAST_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// The pause before a message is sent again that may have been accepted.
const UNSURE_PAUSE: TimeDelta = TimeDelta::minutes(30);

/// Why a receiver did not accept a message.
#[derive(Debug)]
pub(super) enum Refused {
    /// It may accept the message later.
    Now(String),
    /// It has all of the message, and may have accepted it.
    Unsure(String),
    /// It will never accept the message.
    Always(String),
}

impl Refused {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Now(reason) | Self::Unsure(reason) | Self::Always(reason) => reason,
        }
    }

    /// How long a message waits that was tried so often before, the last time with an error; none if it is not sent again.
    pub(super) fn pause(&self, attempts: i32, last_error: Option<&str>) -> Option<TimeDelta> {
        let listed = usize::try_from(attempts).ok().and_then(|place| PAUSES.get(place)).copied();
        match self {
            Self::Now(_) => Some(listed.unwrap_or(LAST_PAUSE)),
            // Twice in a row is how that receiver is, and each time may be another copy.
            Self::Unsure(reason) => (last_error != Some(reason.as_str())).then_some(UNSURE_PAUSE),
            Self::Always(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::Refused;

    #[test]
    fn what_may_have_been_accepted_is_sent_once_more() {
        let unsure = Refused::Unsure("no answer".into());
        assert_eq!(unsure.pause(0, None), Some(TimeDelta::minutes(30)));
        assert_eq!(unsure.pause(7, Some("no connection")), Some(TimeDelta::minutes(30)));
        assert_eq!(unsure.pause(1, Some("no answer")), None);
        let refused = Refused::Now("no connection".into());
        assert_eq!(refused.pause(0, None), Some(TimeDelta::seconds(5)));
        assert_eq!(refused.pause(9, Some("no connection")), Some(TimeDelta::minutes(10)));
        assert_eq!(Refused::Always("no such place".into()).pause(0, None), None);
    }
}
