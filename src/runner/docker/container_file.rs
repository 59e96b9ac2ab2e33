//! Reads a file that an ended container left.

use bollard::Docker;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures_util::StreamExt as _;
use tar::EntryType;

use super::engine_reply::{status, unavailable};
use crate::runner::interface::OutputError;

/// How many symbolic links are followed.
const MOST_LINKS: usize = 16;

/// Room for a tar header, and the long name that may precede it.
const HEADER_BYTES: usize = 8 * 1024;

/// What is at a path in a container.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File(Vec<u8>),
    /// A symbolic link and its target.
    Link(String),
    Other(&'static str),
}

/// The first `most` bytes of a file in a container, if there is one. Symbolic links are followed inside the container.
pub(super) async fn read(
    client: &Docker,
    container: &str,
    path: &str,
    most: u64,
) -> Result<Option<Vec<u8>>, OutputError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut place = path.to_owned();
    for links in 0..=MOST_LINKS {
        match look(client, container, &place, most).await? {
            None if links == 0 => return Ok(None),
            None => return Err(OutputError::Refused(format!("{name} is a symbolic link that leads nowhere"))),
            Some(Found::File(content)) => return Ok(Some(content)),
            Some(Found::Other(what)) => return Err(OutputError::Refused(format!("{name} is {what}"))),
            Some(Found::Link(target)) => place = followed(&place, &target),
        }
    }
    Err(OutputError::Refused(format!("{name} is a symbolic link that leads to more than {MOST_LINKS} others")))
}

/// The path that a link leads to. The engine resolves the rest of it inside the container.
fn followed(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{target}")
}

async fn look(client: &Docker, container: &str, path: &str, most: u64) -> Result<Option<Found>, OutputError> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut parts = client.download_from_container(container, Some(options));
    let mut archive = Vec::new();
    let whole = usize::try_from(most).unwrap_or(usize::MAX).saturating_add(HEADER_BYTES);
    while let Some(part) = parts.next().await {
        match part {
            Ok(bytes) => archive.extend_from_slice(&bytes),
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(unavailable(error).into()),
        }
        if archive.len() > whole {
            archive.truncate(whole);
            break;
        }
    }
    Ok(Some(first_entry(&archive, most)))
}

/// The first entry of a tar archive; the content of a file is cut at a length.
fn first_entry(archive: &[u8], most: u64) -> Found {
    use std::io::Read as _;
    const STRANGE: Found = Found::Other("not a regular file");
    let mut archive = tar::Archive::new(archive);
    let Some(Ok(entry)) = archive.entries().ok().and_then(|mut entries| entries.next()) else { return STRANGE };
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let mut content = Vec::new();
            entry.take(most).read_to_end(&mut content).map_or(STRANGE, |_| Found::File(content))
        }
        EntryType::Symlink => match entry.link_name() {
            Ok(Some(target)) => Found::Link(target.to_string_lossy().into_owned()),
            _ => STRANGE,
        },
        EntryType::Directory => Found::Other("a folder"),
        _ => STRANGE,
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, first_entry, followed};
    use tar::{Builder, EntryType, Header};

    fn archive(kind: EntryType, content: &[u8]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        match kind {
            EntryType::Symlink => archive.append_link(&mut header, "name", "../other").unwrap(),
            _ => archive.append_data(&mut header, "name", content).unwrap(),
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn entries_say_what_they_are() {
        assert_eq!(first_entry(&archive(EntryType::Regular, b"text"), 10), Found::File(b"text".to_vec()));
        assert_eq!(first_entry(&archive(EntryType::Regular, b"text"), 2), Found::File(b"te".to_vec()));
        assert_eq!(first_entry(&archive(EntryType::Symlink, b""), 10), Found::Link("../other".into()));
        assert_eq!(first_entry(&archive(EntryType::Directory, b""), 10), Found::Other("a folder"));
        assert_eq!(first_entry(&archive(EntryType::Fifo, b""), 10), Found::Other("not a regular file"));
        assert_eq!(first_entry(b"", 10), Found::Other("not a regular file"));
    }

    #[test]
    fn links_are_relative_to_their_folder() {
        assert_eq!(followed("/out/a.json", "b.json"), "/out/b.json");
        assert_eq!(followed("/out/a.json", "../tmp/b"), "/out/../tmp/b");
        assert_eq!(followed("/out/a.json", "/tmp/b"), "/tmp/b");
    }
}
