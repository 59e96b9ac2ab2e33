//! The one place that writes, and knows who reads: a person at a terminal gets aligned columns, relative times and colours; a pipe
//! gets tab-separated values without a header, and exact times.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::options::Format;
use crate::times;

/// How a cell looks to a person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    Busy,
    Soft,
}

/// A value of a table.
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Where a command writes to.
pub(crate) struct Screen {
    format: Format,
    terminal: bool,
    colors: bool,
    now: DateTime<Utc>,
    written: String,
}

impl Screen {
    pub(crate) fn new(format: Format, no_color: Option<&str>) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colors = terminal && no_color.is_none_or(str::is_empty);
        Self { format, terminal, colors, now: crate::times::now(), written: String::new() }
    }

    #[cfg(test)]
    pub(crate) fn of(format: Format, terminal: bool, now: DateTime<Utc>) -> Self {
        Self { format, terminal, colors: terminal, now, written: String::new() }
    }

    #[cfg(test)]
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The time at which the command began.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Whether the answer is written as it came.
    pub(crate) fn is_raw(&self) -> bool {
        self.format != Format::Table
    }

    /// Whether the answer is written as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// A time: how far away it is for a person, the time itself for a script.
    pub(crate) fn time(&self, at: Option<DateTime<Utc>>) -> String {
        match at {
            None => {
                if self.terminal {
                    "-".into()
                } else {
                    String::new()
                }
            }
            Some(at) if self.terminal => times::distance(at, self.now),
            Some(at) => times::exact(at),
        }
    }

    /// Writes an answer of the API.
    pub(crate) fn raw(&mut self, value: &Value) -> Result<()> {
        let text = match self.format {
            Format::Yaml => serde_saphyr::to_string(value).map_err(|error| Failure::Refused(error.to_string()))?,
            Format::Json | Format::Table => {
                serde_json::to_string_pretty(value).map_err(|error| Failure::Refused(error.to_string()))?
            }
        };
        self.written.push_str(text.trim_end());
        self.written.push('\n');
        Ok(())
    }

    /// Writes a line for people; scripts that read JSON or YAML do not get it.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.is_raw() {
            self.written.push_str(&printable(text));
            self.written.push('\n');
        }
    }

    /// Writes a line about what was written, for people at a terminal only, to standard error: it is no part of the answer.
    pub(crate) fn remark(&mut self, text: &str) {
        if self.terminal || std::io::stderr().is_terminal() {
            // There is nobody to tell if that fails.
            let _told = writeln!(std::io::stderr(), "{}", printable(text));
        }
    }

    /// Writes a line to standard error that nobody should miss, because the answer alone would be misunderstood.
    pub(crate) fn warn(&mut self, text: &str) {
        // There is nobody to tell if that fails.
        let _told = writeln!(std::io::stderr(), "{}", printable(text));
    }

    /// Writes rows, with a header for people.
    pub(crate) fn table(&mut self, header: &[&str], rows: &[Vec<Cell>]) {
        if !self.terminal {
            for row in rows {
                let line: Vec<String> = row.iter().map(|cell| printable(&cell.text)).collect();
                self.written.push_str(&line.join("\t"));
                self.written.push('\n');
            }
            return;
        }
        let widths: Vec<usize> = header
            .iter()
            .enumerate()
            .map(|(column, title)| {
                let longest = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text)).max();
                longest.unwrap_or(0).max(title.len())
            })
            .collect();
        let titles: Vec<Cell> = header.iter().map(|title| Cell::new(title.to_uppercase(), Tone::Soft)).collect();
        self.line(&titles, &widths);
        for row in rows {
            self.line(row, &widths);
        }
    }

    fn line(&mut self, row: &[Cell], widths: &[usize]) {
        for (column, (cell, wanted)) in row.iter().zip(widths).enumerate() {
            let text = printable(&cell.text);
            let fill = if column + 1 == row.len() { 0 } else { wanted.saturating_sub(width(&text)) + 2 };
            match code(cell.tone).filter(|_| self.colors) {
                Some(code) => self.written.push_str(&format!("\x1b[{code}m{text}\x1b[0m")),
                None => self.written.push_str(&text),
            }
            self.written.push_str(&" ".repeat(fill));
        }
        self.written.push('\n');
    }

    /// Passes text on as it is, such as the log of a run.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<()> {
        self.flush()?;
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(closed)
    }

    /// Writes what was collected.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let text = std::mem::take(&mut self.written);
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(closed)
    }
}

fn closed(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Refused(format!("the output cannot be written: {error}")),
    }
}

/// Names and reasons come from others: they must not move the cursor or add columns.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn code(tone: Tone) -> Option<u8> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(32),
        Tone::Bad => Some(31),
        Tone::Busy => Some(34),
        Tone::Soft => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{Cell, Screen, Tone};
    use crate::options::Format;

    fn rows() -> Vec<Vec<Cell>> {
        vec![vec!["backup".into(), Cell::new("failed", Tone::Bad)], vec!["a\tb\u{1b}[2J".into(), "ok".into()]]
    }

    #[test]
    fn people_get_columns_and_scripts_get_tabs() {
        let now = DateTime::UNIX_EPOCH;
        let mut screen = Screen::of(Format::Table, true, now);
        screen.table(&["job", "last"], &rows());
        let expected =
            ["\u{1b}[2mJOB\u{1b}[0m      \u{1b}[2mLAST\u{1b}[0m", "backup   \u{1b}[31mfailed\u{1b}[0m", "a b [2J  ok"];
        assert_eq!(
            screen.written().lines().collect::<Vec<_>>(),
            expected,
            "a control character is no column and no command"
        );
        assert_eq!(screen.time(Some(now + TimeDelta::seconds(90))), "in 1 minute");
        let mut script = Screen::of(Format::Table, false, now);
        script.table(&["job", "last"], &rows());
        assert_eq!(script.written(), "backup\tfailed\na b [2J\tok\n");
        assert_eq!(script.time(Some(now)), "1970-01-01T00:00:00Z");
        assert_eq!(script.time(None), "");
    }

    #[test]
    fn remarks_are_not_mixed_with_answers_for_scripts() {
        let mut screen = Screen::of(Format::Json, false, DateTime::UNIX_EPOCH);
        screen.say("a remark");
        screen.raw(&serde_json::json!({"a": 1})).unwrap();
        assert_eq!(screen.written(), "{\n  \"a\": 1\n}\n");
    }
}
