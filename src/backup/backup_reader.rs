//! Pure: reads the lines of a backup and checks them: the order of the tables, their rows, and the sums.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::backup_header::{BackupEnd, FORMAT, Header, TableBegin, TableEnd};
use super::backup_writer::hex;
use super::damage::Damage;
use super::row_line;
use crate::store::whole::{Table, Value};

/// The longest line, in bytes: a Terraform state of the largest size, in base64.
const LONGEST_LINE: u64 = 512 * 1024 * 1024;
/// The longest first line.
const LONGEST_HEADER: u64 = 4 * 1024 * 1024;

/// What comes next in a backup.
#[derive(Debug, PartialEq)]
pub enum Part {
    /// The rows of the table at this place of the header's list follow.
    Begin(usize),
    Row(Vec<Value>),
    /// All rows of the table were read, and their number and their sum are right.
    End {
        rows: u64,
    },
    /// Everything was read, and all sums are right.
    Done {
        rows: u64,
    },
}

/// Reads a backup part by part.
pub struct BackupReader<R: BufRead> {
    input: BufReader<GzDecoder<R>>,
    header: Header,
    line: Vec<u8>,
    all: Sha256,
    of_table: Sha256,
    table_rows: u64,
    rows: u64,
    /// How many tables have begun.
    begun: usize,
    inside: bool,
}

impl<R: BufRead> BackupReader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// When this is no backup, or one of a newer format.
    pub fn open(input: R) -> Result<Self, Damage> {
        let mut input = BufReader::with_capacity(128 * 1024, GzDecoder::new(input));
        let foreign = || Damage("this is not a backup of Windlass".into());
        let line = read_line(&mut input, Vec::new(), LONGEST_HEADER).map_err(|_| foreign())?;
        #[derive(Deserialize)]
        struct Format {
            windlass_backup: u32,
        }
        let format: Format = serde_json::from_slice(&line).map_err(|_| foreign())?;
        if format.windlass_backup != FORMAT {
            return Err(Damage(format!(
                "the backup has the format {}, and this program reads {FORMAT}; use the program that wrote it, or a newer one",
                format.windlass_backup
            )));
        }
        let header = parse(&line, "the first line of the backup")?;
        let all = Sha256::new().chain_update(&line);
        let of_table = Sha256::new();
        Ok(Self { input, header, line, all, of_table, table_rows: 0, rows: 0, begun: 0, inside: false })
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next part. After `Done` there is none.
    ///
    /// # Errors
    /// When the file is damaged or incomplete.
    pub fn next_part(&mut self) -> Result<Part, Damage> {
        self.line = read_line(&mut self.input, std::mem::take(&mut self.line), LONGEST_LINE)?;
        if self.inside {
            return self.inside_of_table();
        }
        if let Some(table) = self.header.tables.get(self.begun) {
            let begin: TableBegin = parse(&self.line, "the beginning of a table")?;
            if begin.table != table.name {
                return Err(Damage(format!("the table {} is missing in the backup", table.name)));
            }
            self.all.update(&self.line);
            (self.inside, self.table_rows, self.of_table) = (true, 0, Sha256::new());
            self.begun += 1;
            return Ok(Part::Begin(self.begun - 1));
        }
        self.done()
    }

    /// Reads everything that is left, and checks it. Returns the number of rows.
    ///
    /// # Errors
    /// When the file is damaged or incomplete.
    pub fn check(&mut self) -> Result<u64, Damage> {
        loop {
            if let Part::Done { rows } = self.next_part()? {
                return Ok(rows);
            }
        }
    }

    fn inside_of_table(&mut self) -> Result<Part, Damage> {
        let none = Table { name: String::new(), columns: Vec::new() };
        let table = self.header.tables.get(self.begun.wrapping_sub(1)).unwrap_or(&none);
        if self.line.first() == Some(&b'[') {
            let row = row_line::read(&self.line, table)?;
            self.all.update(&self.line);
            self.of_table.update(&self.line);
            self.table_rows += 1;
            return Ok(Part::Row(row));
        }
        let end: TableEnd = parse(&self.line, "the end of a table")?;
        let sum = hex(std::mem::take(&mut self.of_table));
        if end.end_of != table.name || end.rows != self.table_rows || end.sha256 != sum {
            return Err(Damage(format!(
                "the rows of the table {} in the backup are not those that were written",
                table.name
            )));
        }
        self.all.update(&self.line);
        self.inside = false;
        self.rows += self.table_rows;
        Ok(Part::End { rows: self.table_rows })
    }

    fn done(&mut self) -> Result<Part, Damage> {
        let end: BackupEnd = parse(&self.line, "the last line of the backup")?;
        let sum = hex(std::mem::take(&mut self.all));
        let is_right = end.end_of_backup && end.sha256 == sum && end.rows == self.rows;
        if !is_right || end.tables != self.header.tables.len() as u64 {
            return Err(Damage("the last line of the backup does not fit the lines before it".into()));
        }
        // The sum of the compression is at the end of the file.
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(Part::Done { rows: self.rows }),
            Ok(_) => Err(Damage("something follows the last line of the backup".into())),
            Err(error) => Err(unreadable(&error)),
        }
    }
}

fn unreadable(error: &std::io::Error) -> Damage {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => incomplete(),
        _ => Damage(format!("the backup cannot be read: {error}")),
    }
}

fn incomplete() -> Damage {
    Damage("the backup is incomplete; its end is missing".into())
}

/// Reads a line with its end, into the memory of an earlier one.
fn read_line(input: &mut impl BufRead, mut line: Vec<u8>, longest: u64) -> Result<Vec<u8>, Damage> {
    line.clear();
    input.take(longest).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
    if line.last() == Some(&b'\n') {
        return Ok(line);
    }
    Err(if line.len() as u64 == longest { Damage("a line of the backup is too long".into()) } else { incomplete() })
}

fn parse<T: DeserializeOwned>(line: &[u8], what: &str) -> Result<T, Damage> {
    serde_json::from_slice(line).map_err(|_| Damage(format!("{what} cannot be read")))
}

#[cfg(test)]
#[path = "backup_reader_tests.rs"]
mod tests;
