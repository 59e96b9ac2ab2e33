//! Pure: the first line of a backup, which says what the file is and what follows.

use serde::{Deserialize, Serialize};

use crate::store::whole::Table;

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub windlass_backup: u32,
    /// The version of the program that wrote it.
    pub program: String,
    pub created_at: chrono::DateTime<chrono::Utc>,
    /// The kind of the database, for people.
    pub database: String,
    /// The migrations of the schema, in their order.
    pub schema: Vec<String>,
    /// The fingerprints of the keys that the sealed values need, the newest first.
    pub needed_keys: Vec<String>,
    /// The keys themselves, if they are included.
    pub keys: Option<Keys>,
    /// The tables that follow, in this order.
    pub tables: Vec<Table>,
    /// The tables that are not included.
    pub left_out: Vec<String>,
}

/// Keys, sealed by a key that is derived from a passphrase. Binary values are in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// Always `argon2id`.
    pub derivation: String,
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    pub salt: String,
    /// Always `xchacha20poly1305`.
    pub cipher: String,
    pub nonce: String,
    pub sealed: String,
}

/// The line before the rows of a table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableBegin {
    pub(super) table: String,
}

/// The line after the rows of a table: their number, and the SHA-256 of their lines.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableEnd {
    pub(super) end_of: String,
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// The last line: the sums of everything, and the SHA-256 of all lines before it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupEnd {
    pub(super) end_of_backup: bool,
    pub(super) tables: u64,
    pub(super) rows: u64,
    pub(super) sha256: String,
}
