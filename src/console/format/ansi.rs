//! Pure: log lines with the colors that programs write for terminals.
//!
//! Colors become classes of a fixed palette. All other sequences that control a terminal are removed. Text is always escaped.

use maud::{Markup, html};

use super::palette::nearest;

/// The colors and the weight at the end of a line, which the next line begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnsiState {
    /// One of 16 colors.
    foreground: Option<u8>,
    background: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
}

/// A line as markup. `state` is that at the end of the line before, and becomes that at the end of this one.
#[must_use]
pub fn line(text: &str, state: &mut AnsiState) -> Markup {
    let mut pieces = Vec::new();
    split(text, state, |state, text| pieces.push((state.classes(), text)));
    html! {
        @for (classes, text) in &pieces {
            @if classes.is_empty() { (text) } @else { span class=(classes) { (text) } }
        }
    }
}

/// A line without the sequences that control a terminal, for search and for copies.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    split(text, &mut AnsiState::default(), |_, text| plain.push_str(text));
    plain
}

/// The pieces of text between sequences, each with the state that it is written in.
fn split<'a>(text: &'a str, state: &mut AnsiState, mut piece: impl FnMut(&AnsiState, &'a str)) {
    let mut rest = text;
    while let Some(start) = rest.find(['\u{1b}', '\u{9b}']) {
        let (before, sequence) = rest.split_at(start);
        if !before.is_empty() {
            piece(state, before);
        }
        let (length, parameters) = sequence_at(sequence);
        if let Some(parameters) = parameters {
            state.apply(parameters);
        }
        rest = sequence.get(length..).unwrap_or_default();
    }
    if !rest.is_empty() {
        piece(state, rest);
    }
}

/// The length of the sequence at the beginning of `text`, and its parameters if it sets colors. One that does not end reaches to the
/// end of the line.
fn sequence_at(text: &str) -> (usize, Option<&str>) {
    let mut characters = text.char_indices();
    let introduced = match characters.next() {
        Some((_, '\u{9b}')) => Some((2, '[')),
        _ => characters.next().map(|(place, c)| (place + c.len_utf8(), c)),
    };
    let Some((after, kind)) = introduced else { return (text.len(), None) };
    let body = text.get(after..).unwrap_or_default();
    match kind {
        '[' => match body.char_indices().find(|(_, c)| !matches!(c, ' '..='?')) {
            Some((end, 'm')) => (after + end + 1, body.get(..end)),
            Some((end, c @ '@'..='~')) => (after + end + c.len_utf8(), None),
            // Not a sequence after all: what follows is text.
            Some((end, _)) => (after + end, None),
            None => (text.len(), None),
        },
        // Texts such as titles and links, up to a bell or a string terminator.
        ']' | 'P' | 'X' | '^' | '_' => {
            let ends = ["\u{7}", "\u{1b}\\", "\u{9c}"];
            let end = ends.iter().filter_map(|end| body.find(end).map(|place| place + end.len())).min();
            (end.map_or(text.len(), |end| after + end), None)
        }
        ' '..='/' => match body.char_indices().find(|(_, c)| !matches!(c, ' '..='/')) {
            Some((end, c)) => (after + end + c.len_utf8(), None),
            None => (text.len(), None),
        },
        '\u{1b}' => (1, None),
        _ => (after, None),
    }
}

impl AnsiState {
    fn apply(&mut self, parameters: &str) {
        let mut numbers = parameters.split([';', ':']).map(|number| match number {
            "" => Some(0),
            number => number.parse::<u8>().ok(),
        });
        while let Some(number) = numbers.next() {
            match number {
                Some(0) => *self = Self::default(),
                Some(1) => self.bold = true,
                Some(2) => self.dim = true,
                Some(3) => self.italic = true,
                Some(4 | 21) => self.underline = true,
                Some(7) => self.inverse = true,
                Some(22) => (self.bold, self.dim) = (false, false),
                Some(23) => self.italic = false,
                Some(24) => self.underline = false,
                Some(27) => self.inverse = false,
                Some(color @ 30..=37) => self.foreground = Some(color - 30),
                Some(38) => self.foreground = extended(&mut numbers).or(self.foreground),
                Some(39) => self.foreground = None,
                Some(color @ 40..=47) => self.background = Some(color - 40),
                Some(48) => self.background = extended(&mut numbers).or(self.background),
                Some(49) => self.background = None,
                // The color of an underline: read, so that its numbers are not taken for others.
                Some(58) => drop(extended(&mut numbers)),
                Some(color @ 90..=97) => self.foreground = Some(color - 82),
                Some(color @ 100..=107) => self.background = Some(color - 92),
                _ => {}
            }
        }
    }

    fn classes(&self) -> String {
        let color = |kind: &str, color: Option<u8>| color.map(|color| format!("{kind}{color}"));
        let flag = |is_set: bool, class: &str| is_set.then(|| class.to_owned());
        let classes = [
            color("f", self.foreground),
            color("b", self.background),
            flag(self.bold, "bold"),
            flag(self.dim, "dim"),
            flag(self.italic, "italic"),
            flag(self.underline, "underline"),
            flag(self.inverse, "inverse"),
        ];
        classes.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// The color of `5;n` or `2;r;g;b`.
fn extended(numbers: &mut impl Iterator<Item = Option<u8>>) -> Option<u8> {
    match numbers.next()? {
        Some(5) => {
            let number = numbers.next()??;
            Some(match number {
                0..=15 => number,
                16..=231 => {
                    let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
                    let cube = number - 16;
                    nearest(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
                }
                232.. => {
                    let gray = 8 + 10 * (number - 232);
                    nearest(gray, gray, gray)
                }
            })
        }
        Some(2) => {
            let (red, green, blue) = (numbers.next()?, numbers.next()?, numbers.next()?);
            Some(nearest(red?, green?, blue?))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "ansi_tests.rs"]
mod tests;
