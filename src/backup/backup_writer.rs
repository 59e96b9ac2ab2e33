//! Pure: writes the lines of a backup, counts rows and sums them up.

use std::io::{Error, Result, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::backup_header::{BackupEnd, Header, TableBegin, TableEnd};
use super::row_line;
use crate::store::whole::Value;

/// Weak compression: stronger one takes three times as long for a tenth less.
const COMPRESSION: Compression = Compression::new(3);

/// Writes a backup. The rows of a table stand between `begin` and `end`.
pub(super) struct BackupWriter<W: Write> {
    output: GzEncoder<W>,
    line: Vec<u8>,
    all: Sha256,
    of_table: Sha256,
    name: String,
    table_rows: u64,
    tables: u64,
    rows: u64,
}

impl<W: Write> BackupWriter<W> {
    pub(super) fn new(output: W, header: &Header) -> Result<Self> {
        let mut writer = Self {
            output: GzEncoder::new(output, COMPRESSION),
            line: Vec::new(),
            all: Sha256::new(),
            of_table: Sha256::new(),
            name: String::new(),
            table_rows: 0,
            tables: 0,
            rows: 0,
        };
        writer.put(header)?;
        Ok(writer)
    }

    pub(super) fn begin(&mut self, table: &str) -> Result<()> {
        table.clone_into(&mut self.name);
        self.put(&TableBegin { table: table.to_owned() })?;
        self.of_table = Sha256::new();
        self.table_rows = 0;
        Ok(())
    }

    pub(super) fn row(&mut self, row: &[Value]) -> Result<()> {
        self.line.clear();
        row_line::write(row, &mut self.line).map_err(Error::other)?;
        self.of_table.update(&self.line);
        self.table_rows += 1;
        self.send()
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let sha256 = hex(self.of_table.clone());
        self.tables += 1;
        self.rows += self.table_rows;
        let end_of = std::mem::take(&mut self.name);
        self.put(&TableEnd { end_of, rows: self.table_rows, sha256 })
    }

    /// Writes the last line. Returns the output and the number of rows.
    pub(super) fn finish(mut self) -> Result<(W, u64)> {
        let sha256 = hex(self.all.clone());
        let end = BackupEnd { end_of_backup: true, tables: self.tables, rows: self.rows, sha256 };
        self.put(&end)?;
        Ok((self.output.finish()?, self.rows))
    }

    fn put(&mut self, what: &impl Serialize) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, what)?;
        self.line.push(b'\n');
        self.send()
    }

    fn send(&mut self) -> Result<()> {
        self.all.update(&self.line);
        self.output.write_all(&self.line)
    }
}

pub(super) fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
