//! Pure: the order in which the parts of a deployment start.

use entity::deployment::Progress;

/// Decides what a deployment does next, given the stage position and the progress of each part: the queued parts of the earliest
/// stage start once nothing runs, unless something has failed.
#[must_use]
pub fn next_stage(parts: &[(i32, Progress)]) -> NextStage {
    if parts.iter().any(|(_, progress)| *progress == Progress::Running) {
        return NextStage::Wait;
    }
    let queued = parts.iter().filter(|(_, progress)| *progress == Progress::Queued).map(|(stage, _)| *stage).min();
    let failed = parts.iter().any(|(_, progress)| matches!(progress, Progress::Failed | Progress::Cancelled));
    match queued {
        None => NextStage::Done,
        Some(_) if failed => NextStage::GiveUp,
        Some(stage) => NextStage::Begin(stage),
    }
}

/// The next action of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStage {
    /// A stage is running.
    Wait,
    /// Start the parts of this stage.
    Begin(i32),
    /// A stage has failed: later parts do not start.
    GiveUp,
    /// All parts have ended.
    Done,
}

#[cfg(test)]
mod tests {
    use entity::deployment::Progress;

    use super::{NextStage, next_stage};

    #[test]
    fn stages_follow_one_another() {
        use Progress::{Cancelled, Failed, Queued, Running, Succeeded};
        let cases = [
            (vec![], NextStage::Done),
            (vec![(1, Queued), (0, Queued)], NextStage::Begin(0)),
            (vec![(1, Queued), (0, Running)], NextStage::Wait),
            (vec![(1, Queued), (0, Succeeded)], NextStage::Begin(1)),
            (vec![(1, Queued), (0, Failed)], NextStage::GiveUp),
            (vec![(1, Queued), (0, Failed), (0, Running)], NextStage::Wait),
            (vec![(1, Queued), (0, Cancelled)], NextStage::GiveUp),
            (vec![(1, Succeeded), (0, Failed)], NextStage::Done),
        ];
        for (parts, expected) in cases {
            assert_eq!(next_stage(&parts), expected, "{parts:?}");
        }
    }
}
