//! Files that somebody uploaded as a compressed archive. They come from outside, so unpacking them is bounded: nothing is written
//! outside of the folder, and there are limits for sizes and numbers.

use std::fs::File;
use std::io::{BufReader, BufWriter, Error, Read, Result as IoResult, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::archive_file::nameless;

/// The size limit of the unpacked files, in bytes.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// How many files, folders and links there may be.
const MOST_ENTRIES: usize = 100_000;

/// A compressed archive (tar, gzip) in a file without a name.
#[derive(Clone, Debug)]
pub struct Upload {
    file: Arc<File>,
}

/// An upload that is being written.
pub struct UploadWriter {
    file: BufWriter<File>,
}

impl UploadWriter {
    /// # Errors
    /// When no temporary file can be created.
    pub fn new() -> IoResult<Self> {
        Ok(Self { file: BufWriter::new(nameless()?) })
    }

    /// Appends a piece.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn push(&mut self, piece: &[u8]) -> IoResult<()> {
        self.file.write_all(piece)
    }

    /// # Errors
    /// When the disk is full.
    pub fn finish(self) -> IoResult<Upload> {
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        Ok(Upload { file: Arc::new(file) })
    }
}

impl Upload {
    /// Unpacks the files into an empty folder. Blocks.
    ///
    /// # Errors
    /// Why that is not possible.
    pub fn unpack(&self, folder: &Path) -> Result<(), String> {
        let reader = BufReader::new(Sequential { file: Arc::clone(&self.file), at: 0 });
        // One byte more, so that reaching the limit is seen.
        let limited = MultiGzDecoder::new(reader).take(MOST_BYTES + 1);
        let mut archive = tar::Archive::new(limited);
        archive.set_preserve_mtime(false);
        let broken = |error: Error| {
            format!("the uploaded files are not an archive of the kind tar, compressed by gzip: {error}")
        };
        for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
            let mut entry = entry.map_err(broken)?;
            let path = entry.path().map_err(broken)?.display().to_string();
            if number >= MOST_ENTRIES {
                return Err(format!("the uploaded archive has more than {MOST_ENTRIES} files"));
            }
            match entry.header().entry_type() {
                EntryType::Regular
                | EntryType::Continuous
                | EntryType::Directory
                | EntryType::Symlink
                | EntryType::Link => {}
                EntryType::XGlobalHeader => continue,
                _ => return Err(format!("{path} in the uploaded archive is neither a file, nor a folder, nor a link")),
            }
            let inside =
                entry.unpack_in(folder).map_err(|error| format!("{path} cannot be unpacked: {}", reason(&error)))?;
            if !inside {
                return Err(format!("{path} in the uploaded archive is outside of its folder"));
            }
        }
        if archive.into_inner().limit() == 0 {
            return Err(format!("the uploaded files are larger than {} MiB", MOST_BYTES / 1024 / 1024));
        }
        Ok(())
    }
}

/// The innermost error, which says what happened.
fn reason(error: &Error) -> String {
    let mut text = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(source) = inner {
        text = source.to_string();
        inner = source.source();
    }
    text
}

/// Reads a file from its beginning, whoever else reads it.
struct Sequential {
    file: Arc<File>,
    at: u64,
}

impl Read for Sequential {
    fn read(&mut self, to: &mut [u8]) -> IoResult<usize> {
        let count = self.file.read_at(to, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
