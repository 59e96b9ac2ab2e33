//! The logs of runs: lines, stored in pieces.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::log_chunk::{Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

/// The longest piece, in bytes, but for a single line that is longer.
const PIECE: usize = 64 * 1024;
/// How many pieces are read at once.
const PIECES: u64 = 8;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    Stdout,
    Stderr,
    /// By the server, not by the job.
    System,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Counts from 1 without gaps inside a run.
    pub position: i64,
    pub at: DateTime<Utc>,
    pub stream: LogStream,
    pub text: String,
}

/// Puts lines together to pieces, so that a fast log costs a row for each piece and not for each line.
pub struct ChunkBuilder {
    run: RunId,
    done: Vec<Model>,
    text: String,
    lines: i32,
    position: i64,
}

impl ChunkBuilder {
    /// Of lines that follow the one at `position`.
    #[must_use]
    pub fn after(run: RunId, position: i64) -> Self {
        Self { run, done: Vec::new(), text: String::new(), lines: 0, position }
    }

    /// Adds a line; characters that a piece cannot hold are replaced.
    pub fn push(&mut self, at: DateTime<Utc>, stream: LogStream, line: &str) {
        use std::fmt::Write as _;
        let letter = match stream {
            LogStream::Stdout => 'o',
            LogStream::Stderr => 'e',
            LogStream::System => 's',
        };
        // Writing to a String cannot fail.
        let _written = write!(self.text, "{} {letter} ", at.timestamp_micros());
        if line.contains(['\0', '\n']) {
            // PostgreSQL keeps no NUL in text, and an end of line is one of ours.
            self.text.push_str(&line.replace(['\0', '\n'], "\u{fffd}"));
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
        self.lines += 1;
        self.position += 1;
        if self.text.len() >= PIECE {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.lines > 0 {
            let (text, lines) = (std::mem::take(&mut self.text), std::mem::take(&mut self.lines));
            self.done.push(Model { run_id: self.run, position: self.position, lines, text });
        }
    }

    /// The position of the last line.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The rows.
    #[must_use]
    pub fn finish(mut self) -> Vec<Model> {
        self.cut();
        self.done
    }
}

/// Stores pieces.
///
/// # Errors
/// A broken primary key when a position is taken.
pub async fn append(db: &impl ConnectionTrait, pieces: Vec<Model>) -> Result<(), DbErr> {
    let mut pieces = pieces.into_iter().map(|piece| piece.into_active_model().reset_all()).peekable();
    while pieces.peek().is_some() {
        let rows: Vec<_> = pieces.by_ref().take(100).collect();
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Lines of a run behind a position, in order: not all of them, but none only when there is none.
///
/// # Errors
/// When the query fails.
pub async fn list_by_run(db: &impl ConnectionTrait, run: RunId, after: i64) -> Result<Vec<LogLine>, DbErr> {
    let pieces = Entity::find()
        .filter(Column::RunId.eq(run))
        .filter(Column::Position.gt(after))
        .order_by_asc(Column::Position)
        .limit(PIECES)
        .all(db)
        .await?;
    Ok(pieces.iter().flat_map(lines).filter(|line| line.position > after).collect())
}

fn lines(piece: &Model) -> impl Iterator<Item = LogLine> {
    let first = piece.position - i64::from(piece.lines) + 1;
    piece.text.lines().zip(first..).map(|(line, position)| {
        let (micros, rest) = line.split_once(' ').unwrap_or(("0", line));
        let (letter, text) = rest.split_once(' ').unwrap_or(("o", rest));
        LogLine {
            position,
            at: micros.parse().ok().and_then(DateTime::from_timestamp_micros).unwrap_or_default(),
            stream: match letter {
                "e" => LogStream::Stderr,
                "s" => LogStream::System,
                _ => LogStream::Stdout,
            },
            text: text.to_owned(),
        }
    })
}

/// Deletes pieces of a run, the oldest first; how many went.
///
/// # Errors
/// When the statement fails.
pub async fn delete_some(db: &impl ConnectionTrait, run: RunId, limit: u64) -> Result<u64, DbErr> {
    let positions: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::Position)
        .filter(Column::RunId.eq(run))
        .order_by_asc(Column::Position)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let Some(last) = positions.last() else { return Ok(0) };
    let gone = Entity::delete_many().filter(Column::RunId.eq(run)).filter(Column::Position.lte(*last)).exec(db).await?;
    Ok(gone.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::{ChunkBuilder, LogLine, LogStream, lines};
    use chrono::DateTime;
    use entity::id::RunId;

    #[test]
    fn lines_come_back_as_they_were() {
        let texts = ["", "one", "with \u{fc}ml\u{e4}ut and  spaces ", "a\rb", "cut\0here"];
        let (run, at) = (RunId::create(), DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap());
        let mut pieces = ChunkBuilder::after(run, 7);
        for text in texts {
            pieces.push(at, LogStream::Stderr, text);
        }
        assert_eq!(pieces.position(), 12);
        let found: Vec<LogLine> = pieces.finish().iter().flat_map(lines).collect();
        let expected = texts.iter().zip(8..).map(|(text, position)| LogLine {
            position,
            at,
            stream: LogStream::Stderr,
            text: text.replace('\0', "\u{fffd}"),
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }

    #[test]
    fn long_logs_are_cut_into_pieces() {
        let mut pieces = ChunkBuilder::after(RunId::create(), 0);
        let line = "x".repeat(1000);
        for _ in 0..200 {
            pieces.push(DateTime::UNIX_EPOCH, LogStream::Stdout, &line);
        }
        let rows = pieces.finish();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows.iter().map(|row| row.lines).sum::<i32>(), 200);
        assert_eq!(rows[3].position, 200);
    }
}
