//! The logs of runs: lines, stored in chunks.

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::log_chunk::{Column, Entity, Model};
use memchr::memchr2;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

/// The size in bytes at which a chunk is stored; a single line may be longer.
const CHUNK_BYTES: usize = 64 * 1024;
/// Room for the end of its last line.
const SPARE_BYTES: usize = 1024;
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
    /// Counts from 1 inside a run; there is one gap if the middle of the log was left out.
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
    /// The time of the last line, and how it is written: lines often have the same.
    at: Option<DateTime<Utc>>,
    stamp: String,
}

impl ChunkBuilder {
    /// Starts after the line at `position`.
    #[must_use]
    pub fn after(run: RunId, position: i64) -> Self {
        let (text, stamp) = (String::new(), String::new());
        Self { run, done: Vec::new(), text, lines: 0, position, at: None, stamp }
    }

    /// Adds a line, and returns how many bytes it takes. Characters that a chunk cannot contain are replaced.
    pub fn push(&mut self, at: DateTime<Utc>, stream: LogStream, line: &str) -> i64 {
        let before = self.text.len();
        let letter = match stream {
            LogStream::Stdout => 'o',
            LogStream::Stderr => 'e',
            LogStream::System => 's',
        };
        if self.at != Some(at) {
            self.at = Some(at);
            self.stamp = format!("{:016}", at.timestamp_micros());
        }
        self.text.push_str(&self.stamp);
        self.text.extend([' ', letter, ' ']);
        if memchr2(b'\0', b'\n', line.as_bytes()).is_some() {
            // PostgreSQL stores no NUL in text, and a line feed separates lines here.
            self.text.push_str(&line.replace(['\0', '\n'], "\u{fffd}"));
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
        self.lines += 1;
        self.position += 1;
        let bytes = self.text.len() - before;
        if self.text.len() >= CHUNK_BYTES {
            self.cut();
        }
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }

    /// Keeps a position free for a line that may be added later, in a chunk of its own.
    pub fn reserve(&mut self) -> i64 {
        self.cut();
        self.position += 1;
        self.position
    }

    fn cut(&mut self) {
        if self.lines > 0 {
            // After a full chunk, another one is likely.
            let next = if self.text.len() < CHUNK_BYTES { 0 } else { CHUNK_BYTES + SPARE_BYTES };
            let text = std::mem::replace(&mut self.text, String::with_capacity(next));
            let lines = std::mem::take(&mut self.lines);
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

/// What precedes the text of a line in a chunk, in bytes: a time in microseconds, which has 16 digits until 2286, and a letter.
const PREFIX_BYTES: i64 = 19;

/// How large the text of a chunk is when it is shown: its lines, each with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub position: i64,
    /// In bytes.
    pub bytes: u64,
}

/// The extents of all chunks of a run, in order. The text itself is not read.
///
/// # Errors
/// When the query fails.
pub async fn extents(db: &impl ConnectionTrait, run: RunId) -> Result<Vec<Extent>, DbErr> {
    let rows: Vec<(i64, i32, i64)> = Entity::find()
        .select_only()
        .columns([Column::Position, Column::Lines])
        .expr_as(Expr::cust("CAST(octet_length(text) AS BIGINT)"), "bytes")
        .filter(Column::RunId.eq(run))
        .order_by_asc(Column::Position)
        .into_tuple()
        .all(db)
        .await?;
    let shown = |bytes: i64, lines: i32| u64::try_from(bytes - i64::from(lines) * PREFIX_BYTES).unwrap_or_default();
    Ok(rows.into_iter().map(|(position, lines, bytes)| Extent { position, bytes: shown(bytes, lines) }).collect())
}

/// A part of the text of a run, as it is shown: at most `bytes` from the byte `from`. `of` are the extents of its chunks.
///
/// # Errors
/// When a query fails.
pub async fn shown_bytes(
    db: &impl ConnectionTrait,
    run: RunId,
    of: &[Extent],
    (from, bytes): (u64, u64),
) -> Result<Vec<u8>, DbErr> {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let (mut begin, mut found) = (0, Vec::new());
    for extent in of {
        let end = begin + extent.bytes;
        if end > from && begin < from + bytes {
            let chunk = Entity::find_by_id((run, extent.position)).one(db).await?;
            let text: String = chunk.iter().flat_map(lines).flat_map(|line| [line.text, "\n".to_owned()]).collect();
            let (first, last) = (from.saturating_sub(begin), (from + bytes - begin).min(extent.bytes));
            found.extend_from_slice(text.as_bytes().get(place(first)..place(last)).unwrap_or_default());
        }
        begin = end;
    }
    Ok(found)
}

/// The lines of a run before a position, in order: those of the last chunks. Empty only if there are none.
///
/// # Errors
/// When a query fails.
pub async fn list_before(db: &impl ConnectionTrait, run: RunId, before: i64) -> Result<Vec<LogLine>, DbErr> {
    let of_run = || Entity::find().filter(Column::RunId.eq(run));
    // The chunk that the line before it is in, or else the last one.
    let holder = of_run().filter(Column::Position.gte(before.saturating_sub(1))).order_by_asc(Column::Position);
    let holder: Option<i64> = holder.select_only().column(Column::Position).limit(1).into_tuple().one(db).await?;
    let upto = holder.unwrap_or(i64::MAX);
    let mut chunks =
        of_run().filter(Column::Position.lte(upto)).order_by_desc(Column::Position).limit(CHUNKS_READ).all(db).await?;
    chunks.reverse();
    Ok(chunks.iter().flat_map(lines).filter(|line| line.position < before).collect())
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

/// The lines that were left out in the middle of a log.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// How many bytes were deleted now.
    pub bytes: i64,
    /// How many lines are left out altogether.
    pub left_out: i64,
}

/// How many chunks, and how many times, `cut_middle` deletes at most. What is left is deleted the next time.
const CUT_CHUNKS: u64 = 200;
const CUT_TIMES: usize = 20;

/// Deletes the oldest chunks between two positions, which stay, until `excess` bytes are gone. None if nothing was deleted.
///
/// # Errors
/// When a statement fails.
pub async fn cut_middle(
    tx: &impl ConnectionTrait,
    run: RunId,
    (after, before): (i64, i64),
    excess: i64,
) -> Result<Option<Cut>, DbErr> {
    let mut cut: Option<Cut> = None;
    for _ in 0..CUT_TIMES {
        let missing = excess - cut.map_or(0, |cut| cut.bytes);
        let between = Condition::all()
            .add(Column::RunId.eq(run))
            .add(Column::Position.gt(after))
            .add(Column::Position.lt(before));
        let oldest: Vec<(i64, i64)> = Entity::find()
            .select_only()
            .column(Column::Position)
            .expr_as(Expr::cust("CAST(octet_length(text) AS BIGINT)"), "bytes")
            .filter(between.clone())
            .order_by_asc(Column::Position)
            .limit(CUT_CHUNKS)
            .into_tuple()
            .all(tx)
            .await?;
        let (mut bytes, mut last) = (0, None);
        for (position, size) in oldest {
            if bytes >= missing {
                break;
            }
            bytes += size;
            last = Some(position);
        }
        let Some(last) = last else { break };
        Entity::delete_many().filter(between).filter(Column::Position.lte(last)).exec(tx).await?;
        cut = Some(Cut { bytes: bytes + cut.map_or(0, |cut| cut.bytes), left_out: last - after });
    }
    Ok(cut)
}

/// Replaces the chunk at a position, if there is one.
///
/// # Errors
/// When a statement fails.
pub async fn replace(tx: &impl ConnectionTrait, run: RunId, position: i64, chunks: Vec<Model>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::RunId.eq(run)).filter(Column::Position.eq(position)).exec(tx).await?;
    append(tx, chunks).await
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
    use super::{ChunkBuilder, LogLine, LogStream, PREFIX_BYTES, lines};
    use chrono::DateTime;
    use entity::id::RunId;

    #[test]
    fn lines_survive_a_round_trip() {
        let texts = ["", "one", "with \u{fc}ml\u{e4}ut and  spaces ", "a\rb", "cut\0here"];
        let (run, at) = (RunId::create(), DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap());
        let mut pieces = ChunkBuilder::after(run, 7);
        for text in texts {
            let _bytes = pieces.push(at, LogStream::Stderr, text);
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
            let _bytes = pieces.push(DateTime::UNIX_EPOCH, LogStream::Stdout, &line);
        }
        let rows = pieces.finish();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows.iter().map(|row| row.lines).sum::<i32>(), 200);
        assert_eq!(rows[3].position, 200);
    }

    /// The sizes are told without reading the text, so its form must not change unnoticed.
    #[test]
    fn a_line_has_as_many_bytes_before_its_text_as_is_said() {
        let mut pieces = ChunkBuilder::after(RunId::create(), 0);
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        for text in ["", "\u{e4} line"] {
            let _bytes = pieces.push(at, LogStream::Stdout, text);
        }
        let [chunk] = <[_; 1]>::try_from(pieces.finish()).unwrap();
        let shown: usize = lines(&chunk).map(|line| line.text.len() + 1).sum();
        assert_eq!(chunk.text.len() - 2 * usize::try_from(PREFIX_BYTES).unwrap(), shown);
    }
}
