//! Pure: the position in the log of a pod, and which lines of a stream that was opened again are new.

use chrono::{DateTime, Utc};

/// The time of the last line, and how many lines with that time were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogPosition {
    pub(super) at: Option<DateTime<Utc>>,
    same: usize,
}

impl LogPosition {
    /// Counts a line that was received.
    pub(super) fn advance(&mut self, at: DateTime<Utc>) {
        let same = if self.at == Some(at) { self.same + 1 } else { 1 };
        *self = Self { at: Some(at), same };
    }
}

/// A stream that begins at or before a position.
pub(super) struct Resumed {
    from: LogPosition,
    /// The time of the last line of this stream.
    last: Option<DateTime<Utc>>,
}

impl Resumed {
    pub(super) fn after(from: LogPosition) -> Self {
        Self { from, last: None }
    }

    /// The time of the next line of the stream, if the line was not received before. The rest of a longer line has no timestamp of its
    /// own, and belongs to the beginning of the line.
    pub(super) fn time_if_new(&mut self, stamp: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let at = stamp.or(self.last).unwrap_or_default();
        self.last = Some(at);
        if self.from.at == Some(at) && self.from.same > 0 {
            self.from.same -= 1;
            return None;
        }
        self.from.at.is_none_or(|from| at >= from).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{LogPosition, Resumed};

    /// The indexes of the lines that are taken for new; `left` is moved behind them.
    fn read(left: &mut LogPosition, lines: &[Option<DateTime<Utc>>]) -> Vec<usize> {
        let mut stream = Resumed::after(*left);
        let mut new = Vec::new();
        for (index, stamp) in lines.iter().enumerate() {
            if let Some(at) = stream.time_if_new(*stamp) {
                left.advance(at);
                new.push(index);
            }
        }
        new
    }

    #[test]
    fn each_line_is_new_once_wherever_a_stream_breaks() {
        let at = |millis| DateTime::from_timestamp_millis(millis);
        // Two lines at once, two longer lines with their rests, and lines after each.
        let lines = [at(1), at(2), at(2), at(3), None, at(4), None, None, at(4), at(5)];
        for first in 0..=lines.len() {
            for second in first..=lines.len() {
                let mut left = LogPosition::default();
                let mut new = read(&mut left, &lines[..first]);
                new.extend(read(&mut left, &lines[..second]));
                new.extend(read(&mut left, &lines));
                assert_eq!(new, (0..lines.len()).collect::<Vec<_>>(), "broken after {first} and {second}");
                assert_eq!(read(&mut left, &lines), Vec::<usize>::new());
            }
        }
    }
}
