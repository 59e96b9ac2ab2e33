//! Pure: splits the output of a stream into lines, however its bytes arrive.
//!
//! A line ends with a line feed or a carriage return, or both. A longer line than `LINE_BYTES` is split between two characters.

use memchr::memchr2;

use super::line::LINE_BYTES;

/// A line, or a part of a line that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) open: bool,
}

/// What the last byte was, as far as it matters for the next one.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// A line feed, or nothing.
    #[default]
    Nothing,
    /// A part of a line was taken, and nothing has followed it yet.
    Part,
    /// A carriage return that ended a line.
    Return,
    /// A carriage return on an empty line.
    EmptyReturn,
}

/// Splits one stream into lines.
#[derive(Default)]
pub(super) struct LineSplitter {
    rest: Vec<u8>,
    before: Before,
}

impl LineSplitter {
    /// Adds bytes, and returns the lines that they complete.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut bytes = bytes;
        while let Some(end) = memchr2(b'\n', b'\r', bytes) {
            let (text, behind) = bytes.split_at(end);
            let feeds = behind.first() == Some(&b'\n');
            if feeds && self.rest.is_empty() && (1..=LINE_BYTES).contains(&text.len()) {
                // Most lines are there as a whole.
                pieces.push(whole(text.to_vec()));
                self.before = Before::Nothing;
            } else {
                self.extend(text, &mut pieces);
                if feeds { self.feed(&mut pieces) } else { self.turn_back(&mut pieces) }
            }
            bytes = behind.get(1..).unwrap_or_default();
        }
        self.extend(bytes, &mut pieces);
        pieces
    }

    /// What is there of a line that is not complete yet, up to its last whole character.
    pub(super) fn take_part(&mut self) -> Option<Piece> {
        self.cut(self.rest.len())
    }

    /// What is left at the end of the stream.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        (!self.rest.is_empty()).then(|| self.line())
    }

    /// Whether a line is not complete yet.
    pub(super) fn has_part(&self) -> bool {
        !self.rest.is_empty()
    }

    fn extend(&mut self, mut text: &[u8], pieces: &mut Vec<Piece>) {
        while !text.is_empty() {
            if self.rest.len() >= LINE_BYTES {
                pieces.extend(self.cut(LINE_BYTES));
            }
            let room = LINE_BYTES.saturating_sub(self.rest.len()).max(1).min(text.len());
            let (now, later) = text.split_at(room);
            self.rest.extend_from_slice(now);
            self.before = Before::Nothing;
            text = later;
        }
    }

    /// A line feed ends a line, unless a carriage return or nothing but a taken part is before it.
    fn feed(&mut self, pieces: &mut Vec<Piece>) {
        let ended = self.rest.is_empty() && matches!(self.before, Before::Part | Before::Return);
        if !ended {
            pieces.push(self.line());
        }
        self.before = Before::Nothing;
    }

    /// A carriage return ends a line that is not empty.
    fn turn_back(&mut self, pieces: &mut Vec<Piece>) {
        if !self.rest.is_empty() {
            pieces.push(self.line());
            self.before = Before::Return;
        } else if self.before == Before::Part {
            self.before = Before::Return;
        } else if self.before == Before::Nothing {
            self.before = Before::EmptyReturn;
        }
    }

    fn line(&mut self) -> Piece {
        whole(std::mem::take(&mut self.rest))
    }

    /// Takes the first `most` bytes, but no part of a character.
    fn cut(&mut self, most: usize) -> Option<Piece> {
        let end = whole_characters(self.rest.get(..most).unwrap_or(&self.rest));
        let bytes: Vec<u8> = self.rest.drain(..end).collect();
        if bytes.is_empty() {
            return None;
        }
        self.before = Before::Part;
        Some(Piece { text: String::from_utf8_lossy(&bytes).into_owned(), open: true })
    }
}

fn whole(bytes: Vec<u8>) -> Piece {
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Piece { text, open: false }
}

/// The length of the bytes without a character at their end that is not complete.
fn whole_characters(bytes: &[u8]) -> usize {
    for (count, byte) in bytes.iter().rev().take(3).enumerate() {
        let needed = match byte {
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        return if needed > count + 1 { bytes.len() - count - 1 } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
#[path = "line_splitter_tests.rs"]
mod tests;
