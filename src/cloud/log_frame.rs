//! Pure: the bytes of a log as programs read them: a start mark, the text, and an end mark once nothing more comes. Programs ask for
//! bytes from an offset, which counts the marks, and look for the end only when they have seen its mark.

/// The first byte of a log.
const START: u8 = 2;
/// The last byte of a log that has ended.
const END: u8 = 3;

/// A piece of the text: where it begins, counted from the start of the text, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) bytes: u64,
}

/// The whole log of which a window is asked for.
#[derive(Clone, Debug)]
pub(super) struct LogFrame {
    /// Lines before the text.
    pub(super) head: String,
    /// The size of the text, in bytes.
    pub(super) text: u64,
    /// Lines after the text, once it has ended.
    pub(super) tail: Option<String>,
}

/// What a window of a log consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) before: Vec<u8>,
    /// The part of the text.
    pub(super) text: Span,
    pub(super) after: Vec<u8>,
}

impl LogFrame {
    /// At most `limit` bytes from `offset`.
    pub(super) fn window(&self, offset: u64, limit: u64) -> Window {
        let mut front = vec![START];
        front.extend_from_slice(self.head.as_bytes());
        let mut back = self.tail.as_ref().map(|tail| tail.clone().into_bytes()).unwrap_or_default();
        if self.tail.is_some() {
            back.push(END);
        }
        let (first, second) = (front.len() as u64, front.len() as u64 + self.text);
        let end = offset.saturating_add(limit);
        let from = offset.clamp(first, second);
        let to = end.clamp(from, second);
        Window {
            before: cut(&front, offset, end),
            text: Span { from: from - first, bytes: to - from },
            after: cut(&back, offset.saturating_sub(second), end.saturating_sub(second)),
        }
    }
}

fn cut(bytes: &[u8], from: u64, to: u64) -> Vec<u8> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(place(from)..place(to)).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{LogFrame, Span};

    const TEXT: &[u8] = b"one\ntw\xc3\xb6\n";

    /// What a program reads that asks for so many bytes at once.
    fn read(frame: &LogFrame, limit: u64) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let window = frame.window(all.len() as u64, limit);
            let Span { from, bytes } = window.text;
            let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(from + bytes).unwrap());
            let piece = [window.before, TEXT[from..to].to_vec(), window.after].concat();
            assert!(piece.len() as u64 <= limit);
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    #[test]
    fn every_size_of_pieces_gives_the_same_bytes() {
        let head = "h1\nh2\n".to_owned();
        let open = LogFrame { head: head.clone(), text: TEXT.len() as u64, tail: None };
        let ended = LogFrame { tail: Some("why\n".into()), ..open.clone() };
        for limit in 1..40 {
            assert_eq!(read(&open, limit), [b"\x02h1\nh2\n", TEXT].concat());
            assert_eq!(read(&ended, limit), [b"\x02h1\nh2\n", TEXT, b"why\n\x03"].concat());
        }
    }

    #[test]
    fn an_empty_log_has_its_marks() {
        let empty = LogFrame { head: String::new(), text: 0, tail: Some(String::new()) };
        assert_eq!(empty.window(0, 65_536).before, [2]);
        assert_eq!(empty.window(0, 65_536).after, [3]);
        let past = empty.window(u64::MAX, 65_536);
        assert!(past.before.is_empty() && past.text.bytes == 0 && past.after.is_empty());
    }
}
