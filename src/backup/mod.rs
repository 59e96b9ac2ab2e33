//! Backups: a file with all rows of the database, which a database of either kind can be restored from.
//!
//! docs/operations.md describes the file. `save` writes it from one read transaction, `load` fills an empty database in one
//! transaction, and nothing of a file counts that is damaged or incomplete.

mod backup_header;
mod backup_reader;
mod backup_writer;
mod damage;
mod load;
mod row_line;
mod save_all;
mod sealed_keys;

pub use self::backup_header::{FORMAT, Header, Keys};
pub use self::backup_reader::{BackupReader, Part};
pub use self::damage::Damage;
pub use self::load::{Restored, load};
pub use self::save_all::{LEFT_OUT, Origin, Saved, save};
pub use self::sealed_keys::{Random, open as open_keys, seal as seal_keys};
