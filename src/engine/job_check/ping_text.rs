//! What a ping says: its signal, and its text as lines of a log.

use uuid::Uuid;

/// The largest text of a ping that is kept, in bytes.
pub const MOST_BYTES: usize = 100_000;

/// What a ping reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Success,
    Start,
    Fail,
    Exit(u8),
    /// Only a text.
    Log,
}

impl Signal {
    /// The signal that the end of an address names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "start" => Some(Self::Start),
            "fail" => Some(Self::Fail),
            "log" => Some(Self::Log),
            code if code.len() <= 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
                code.parse().ok().map(Self::Exit)
            }
            _ => None,
        }
    }

    /// Whether the job succeeded, its exit code, and why it failed; none if it has not ended.
    #[must_use]
    pub fn end(self) -> Option<(bool, Option<i32>, Option<String>)> {
        match self {
            Self::Success => Some((true, None, None)),
            Self::Exit(0) => Some((true, Some(0), None)),
            Self::Exit(code) => Some((false, Some(code.into()), Some(format!("exit code {code}")))),
            Self::Fail => Some((false, None, Some("the ping reported a failure".into()))),
            Self::Start | Self::Log => None,
        }
    }
}

/// A ping as it was received.
#[derive(Clone, Debug)]
pub struct Ping {
    pub signal: Signal,
    /// Tells runs apart that overlap.
    pub name: Option<Uuid>,
    /// The lines of its text.
    pub lines: Vec<String>,
}

/// The lines of a body. What is beyond the limit is cut off, and the last line says so.
#[must_use]
pub fn lines(body: &[u8], is_cut: bool) -> Vec<String> {
    let kept = body.get(..MOST_BYTES).unwrap_or(body);
    let text = String::from_utf8_lossy(kept);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if is_cut || body.len() > MOST_BYTES {
        lines.push(format!("the rest of the text is cut off: of a ping, the first {MOST_BYTES} bytes are kept"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, Signal, lines};

    #[test]
    fn signals_have_names() {
        for (name, signal) in [
            ("start", Some(Signal::Start)),
            ("fail", Some(Signal::Fail)),
            ("log", Some(Signal::Log)),
            ("0", Some(Signal::Exit(0))),
            ("255", Some(Signal::Exit(255))),
            ("256", None),
            ("-1", None),
            ("+1", None),
            ("0001", None),
            ("", None),
            ("stop", None),
        ] {
            assert_eq!(Signal::named(name), signal, "{name}");
        }
        assert_eq!(Signal::Exit(3).end(), Some((false, Some(3), Some("exit code 3".into()))));
        assert_eq!(Signal::Exit(0).end(), Some((true, Some(0), None)));
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(lines(b"one\ntwo\n", false), ["one", "two"]);
        assert!(lines(b"", false).is_empty());
        let long = lines(&vec![b'x'; MOST_BYTES + 1], false);
        assert_eq!((long.len(), long[0].len()), (2, MOST_BYTES));
        assert!(long[1].contains("cut off"), "{}", long[1]);
        assert_eq!(lines(b"half", true).len(), 2);
    }
}
