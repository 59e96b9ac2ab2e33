//! A tar archive in a file without a name, which is sent in pieces: it needs little memory, and is gone once nobody sends it.

use std::fs::File;
use std::io::{BufWriter, Error, Result, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::FutureExt as _;
use http_body::Frame;
use tokio::task::JoinHandle;

use crate::git::TempFolder;

/// The size of a piece, in bytes.
const PIECE: u64 = 256 * 1024;

/// A tar archive.
#[derive(Clone, Debug)]
pub struct ArchiveFile {
    file: Arc<File>,
    bytes: u64,
}

/// An archive that is being written.
pub(in crate::runner) type ArchiveBuilder = tar::Builder<BufWriter<File>>;

impl ArchiveFile {
    /// Writes an archive. Blocks.
    pub(in crate::runner) fn write<E>(
        fill: impl FnOnce(&mut ArchiveBuilder) -> std::result::Result<(), E>,
        failed: impl Fn(Error) -> E,
    ) -> std::result::Result<Self, E> {
        let mut archive = tar::Builder::new(BufWriter::new(nameless().map_err(&failed)?));
        archive.follow_symlinks(false);
        fill(&mut archive)?;
        let mut written = archive.into_inner().map_err(&failed)?;
        written.flush().map_err(&failed)?;
        let file = written.into_inner().map_err(|error| failed(error.into_error()))?;
        let bytes = file.metadata().map_err(&failed)?.len();
        Ok(Self { file: Arc::new(file), bytes })
    }

    /// The size of the archive.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The whole archive, in pieces.
    #[must_use]
    pub fn pieces(&self) -> ArchivePieces {
        ArchivePieces { archive: self.clone(), sent: 0, reading: None }
    }
}

/// A new file without a name: its folder is removed at once.
pub(in crate::runner) fn nameless() -> Result<File> {
    let folder = TempFolder::new().map_err(Error::other)?;
    std::fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(folder.path().join("archive"))
}

/// Reads an archive piece by piece.
#[derive(Debug)]
pub struct ArchivePieces {
    archive: ArchiveFile,
    sent: u64,
    reading: Option<JoinHandle<Result<Bytes>>>,
}

impl Stream for ArchivePieces {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let ArchiveFile { file, bytes } = self.archive.clone();
        let (from, size) = (self.sent, PIECE.min(bytes - self.sent));
        if size == 0 {
            return Poll::Ready(None);
        }
        let read = move || {
            let mut piece = vec![0; usize::try_from(size).map_err(Error::other)?];
            file.read_exact_at(&mut piece, from)?;
            Ok(Bytes::from(piece))
        };
        let reading = self.reading.get_or_insert_with(|| tokio::task::spawn_blocking(read));
        let Poll::Ready(read) = reading.poll_unpin(context) else { return Poll::Pending };
        self.reading = None;
        self.sent += size;
        Poll::Ready(Some(read.unwrap_or_else(|error| Err(Error::other(error)))))
    }
}

impl http_body::Body for ArchivePieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        self.poll_next(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

#[cfg(test)]
mod tests {
    use super::{ArchiveFile, PIECE};
    use futures_util::TryStreamExt as _;

    #[tokio::test]
    async fn an_archive_is_sent_in_pieces_and_leaves_no_file() {
        let content: Vec<u8> = (0..u32::try_from(PIECE).unwrap()).flat_map(u32::to_le_bytes).collect();
        let archive = ArchiveFile::write(
            |archive| {
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, "name", content.as_slice())
            },
            |error| error,
        )
        .unwrap();
        let pieces: Vec<_> = archive.pieces().try_collect().await.unwrap();
        assert!(pieces.len() == 5 && pieces.iter().all(|piece| piece.len() as u64 <= PIECE));
        let whole = pieces.concat();
        assert_eq!(whole.len() as u64, archive.bytes());
        let mut archive_again = tar::Archive::new(whole.as_slice());
        let mut entry = archive_again.entries().unwrap().next().unwrap().unwrap();
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut read).unwrap();
        assert!(read == content);
        let again: Vec<_> = archive.pieces().try_collect().await.unwrap();
        assert!(again.concat() == whole, "an archive can be sent twice");
        let open: Vec<_> = std::fs::read_dir("/proc/self/fd").unwrap().flatten().collect();
        let paths = open.iter().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let ours: Vec<_> = paths.filter(|path| path.ends_with("archive (deleted)")).collect();
        assert!(!ours.is_empty(), "the file has a name");
    }
}
