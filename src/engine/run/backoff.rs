//! Pure: the pause between the attempts of a run.

use chrono::TimeDelta;

/// The pause doubles with each attempt up to this limit (as in Kubernetes), or to the first pause if that is longer.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(6);

/// The pause after a failed attempt; `first` is the pause after the first attempt.
#[must_use]
pub(super) fn pause_after(attempt: i32, first: TimeDelta) -> TimeDelta {
    let longest = LONGEST_PAUSE.max(first);
    let doublings = u32::try_from(attempt.clamp(1, 20) - 1).unwrap_or(0);
    first.checked_mul(2_i32.saturating_pow(doublings)).unwrap_or(longest).min(longest)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::pause_after;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses: Vec<i64> =
            (1..=8).map(|attempt| pause_after(attempt, TimeDelta::seconds(10)).num_seconds()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 360, 360]);
        assert_eq!(pause_after(i32::MAX, TimeDelta::seconds(10)).num_seconds(), 360);
        assert_eq!(pause_after(4, TimeDelta::seconds(1)).num_seconds(), 8);
        assert_eq!(pause_after(2, TimeDelta::seconds(1000)).num_seconds(), 1000);
        assert_eq!(pause_after(2, TimeDelta::zero()), TimeDelta::zero());
    }
}
