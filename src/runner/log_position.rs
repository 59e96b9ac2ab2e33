//! Pure: the position in a log, and what is new in a stream that was opened again.
//!
//! A stream can break anywhere, also in a line: a node of Kubernetes that is busy may end it before it has written the rest of the last line.

use chrono::{DateTime, Utc};

/// The time of the last line, how many whole lines with that time were received, and how many bytes of the line after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogPosition {
    pub(super) at: Option<DateTime<Utc>>,
    whole: usize,
    part: usize,
}

impl LogPosition {
    /// Counts what was received of a line that began at this time, with its line feed.
    pub(super) fn advance(&mut self, at: DateTime<Utc>, text: &[u8]) {
        if self.at != Some(at) {
            *self = Self { at: Some(at), ..Self::default() };
        }
        if text.ends_with(b"\n") {
            self.whole += 1;
            self.part = 0;
        } else {
            self.part += text.len();
        }
    }

    /// Whether the last line was not received to its end.
    pub(super) fn is_in_line(&self) -> bool {
        self.part > 0
    }
}

/// What is new of a part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct New<'a> {
    /// When the line began.
    pub(super) at: DateTime<Utc>,
    pub(super) text: &'a [u8],
    /// Whether the text begins a line, or goes on with the last one.
    pub(super) begins: bool,
}

/// A stream that begins at or before a position.
pub(super) struct Resumed {
    from: LogPosition,
    /// When the current line of this stream began, and how many bytes of it came.
    line: Option<(DateTime<Utc>, usize)>,
    /// How many whole lines with the time of the position came.
    whole: usize,
}

impl Resumed {
    pub(super) fn after(from: LogPosition) -> Self {
        Self { from, line: None, whole: 0 }
    }

    /// Whether the next part of the stream goes on with a line, and has no timestamp.
    pub(super) fn is_in_line(&self) -> bool {
        self.line.is_some()
    }

    /// The new bytes of the next part of the stream: a line, or a part of one. Without a timestamp it goes on with a line; if the
    /// beginning of that line is not in the stream, the line is older than the position.
    pub(super) fn new_in<'a>(&mut self, stamp: Option<DateTime<Utc>>, text: &'a [u8]) -> Option<New<'a>> {
        let (at, before) = self.line.or(stamp.map(|at| (at, 0))).unwrap_or_default();
        let same = self.from.at == Some(at);
        let known = match (self.from.at, self.whole) {
            (Some(from), _) if at < from => usize::MAX,
            (Some(_), whole) if same && whole < self.from.whole => usize::MAX,
            (Some(_), whole) if same && whole == self.from.whole => self.from.part,
            _ => 0,
        };
        let ends = text.ends_with(b"\n");
        self.line = (!ends).then_some((at, before + text.len()));
        self.whole += usize::from(ends && same);
        let new = text.get(known.saturating_sub(before).min(text.len())..).filter(|new| !new.is_empty())?;
        Some(New { at, text: new, begins: before.max(known) == 0 })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::{LogPosition, Resumed};

    /// What a stream adds to the log that was received before it; `left` is moved behind it.
    fn read(left: &mut LogPosition, parts: &[(Option<DateTime<Utc>>, &[u8])], log: &mut Vec<(DateTime<Utc>, Vec<u8>)>) {
        let mut stream = Resumed::after(*left);
        for (stamp, text) in parts {
            if let Some(new) = stream.new_in(*stamp, text) {
                left.advance(new.at, new.text);
                match log.last_mut() {
                    Some((_, line)) if !new.begins => line.extend(new.text),
                    _ => log.push((new.at, new.text.to_vec())),
                }
            }
        }
    }

    /// The first parts of a stream that breaks after so many bytes of text.
    fn broken<'a>(
        parts: &[(Option<DateTime<Utc>>, &'a [u8])],
        mut bytes: usize,
    ) -> Vec<(Option<DateTime<Utc>>, &'a [u8])> {
        let mut first = Vec::new();
        for (stamp, text) in parts {
            if bytes == 0 {
                break;
            }
            let text = &text[..bytes.min(text.len())];
            bytes -= text.len();
            first.push((*stamp, text));
        }
        first
    }

    #[test]
    fn each_byte_is_new_once_wherever_a_stream_breaks() {
        let at = |millis| DateTime::from_timestamp_millis(millis);
        // Two lines at once, two longer lines with their rests, and lines after each.
        let parts: [(_, &[u8]); 10] = [
            (at(1), b"a\n"),
            (at(2), b"bc\n"),
            (at(2), b"bc\n"),
            (at(3), b"long"),
            (None, b" line\n"),
            (at(4), b"longer"),
            (None, b"longer"),
            (None, b"longer\n"),
            (at(4), b"\n"),
            (at(5), b"end\n"),
        ];
        let mut whole = Vec::new();
        read(&mut LogPosition::default(), &parts, &mut whole);
        assert_eq!(whole.len(), 7);
        let length = parts.iter().map(|(_, text)| text.len()).sum();
        for first in 0..=length {
            for second in first..=length {
                let (mut left, mut log) = (LogPosition::default(), Vec::new());
                read(&mut left, &broken(&parts, first), &mut log);
                read(&mut left, &broken(&parts, second), &mut log);
                read(&mut left, &parts, &mut log);
                assert_eq!(log, whole, "broken after {first} and {second} bytes");
                assert!(!left.is_in_line());
                read(&mut left, &parts, &mut log);
                assert_eq!(log, whole, "read again");
            }
        }
    }

    #[test]
    fn the_rest_of_an_older_line_is_not_new() {
        let at = |millis| DateTime::from_timestamp_millis(millis);
        let mut left = LogPosition::default();
        let mut log = Vec::new();
        read(&mut left, &[(at(1), b"old"), (None, b" rest\n"), (at(2), b"new\n")], &mut log);
        read(&mut left, &[(None, b" rest\n"), (at(2), b"new\n"), (at(3), b"next\n")], &mut log);
        let texts: Vec<_> = log.iter().map(|(_, text)| text.as_slice()).collect();
        assert_eq!(texts, [b"old rest\n".as_slice(), b"new\n", b"next\n"]);
    }
}
