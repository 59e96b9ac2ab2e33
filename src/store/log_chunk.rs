//! The logs of runs: lines, stored in chunks.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::log_chunk::{Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};

/// The size in bytes at which a chunk is stored; a single line may be longer.
const CHUNK_BYTES: usize = 64 * 1024;
/// The number of chunks per read.
const CHUNKS_READ: u64 = 8;

/// The stream that a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStream {
    Stdout,
    Stderr,
    /// Written by the server, not by the job.
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

/// Collects lines into chunks, so that a fast log does not cost a row per line.
pub struct ChunkBuilder {
    run: RunId,
    done: Vec<Model>,
    text: String,
    lines: i32,
    position: i64,
}

impl ChunkBuilder {
    /// Starts after the line at `position`.
    #[must_use]
    pub fn after(run: RunId, position: i64) -> Self {
        Self { run, done: Vec::new(), text: String::new(), lines: 0, position }
    }

    /// Adds a line. Characters that a chunk cannot contain are replaced.
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
            // PostgreSQL stores no NUL in text, and a line feed separates lines here.
            self.text.push_str(&line.replace(['\0', '\n'], "\u{fffd}"));
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
        self.lines += 1;
        self.position += 1;
        if self.text.len() >= CHUNK_BYTES {
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

    /// The rows to store.
    #[must_use]
    pub fn finish(mut self) -> Vec<Model> {
        self.cut();
        self.done
    }
}

/// Stores chunks.
///
/// # Errors
/// A primary key violation when a position is taken.
pub async fn append(db: &impl ConnectionTrait, chunks: Vec<Model>) -> Result<(), DbErr> {
    let mut chunks = chunks.into_iter().map(|chunk| chunk.into_active_model().reset_all()).peekable();
    while chunks.peek().is_some() {
        let rows: Vec<_> = chunks.by_ref().take(100).collect();
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The next lines of a run after a position, in order. Empty only if there are no more.
///
/// # Errors
/// When the query fails.
pub async fn list_by_run(db: &impl ConnectionTrait, run: RunId, after: i64) -> Result<Vec<LogLine>, DbErr> {
    let chunks = Entity::find()
        .filter(Column::RunId.eq(run))
        .filter(Column::Position.gt(after))
        .order_by_asc(Column::Position)
        .limit(CHUNKS_READ)
        .all(db)
        .await?;
    Ok(chunks.iter().flat_map(lines).filter(|line| line.position > after).collect())
}

fn lines(chunk: &Model) -> impl Iterator<Item = LogLine> {
    let first = chunk.position - i64::from(chunk.lines) + 1;
    chunk.text.lines().zip(first..).map(|(line, position)| {
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

/// Deletes chunks of a run, oldest first. Returns their number.
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
    fn lines_survive_a_round_trip() {
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
    fn long_logs_are_split_into_chunks() {
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
