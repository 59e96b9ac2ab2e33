//! Tests of the files that somebody uploaded.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Upload, UploadWriter};

fn upload(bytes: &[u8]) -> Upload {
    let mut writer = UploadWriter::new().unwrap();
    for piece in bytes.chunks(7) {
        writer.push(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn packed(fill: impl FnOnce(&mut tar::Builder<GzEncoder<Vec<u8>>>)) -> Upload {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    fill(&mut archive);
    upload(&archive.into_inner().unwrap().finish().unwrap())
}

fn header(kind: tar::EntryType, path: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size);
    // Written directly, because the library refuses to write such paths.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    header
}

#[test]
fn files_folders_and_links() {
    let good = packed(|archive| {
        archive.append(&header(tar::EntryType::Directory, "modules/", 0), &[][..]).unwrap();
        archive.append(&header(tar::EntryType::Regular, "modules/run.sh", 4), &b"echo"[..]).unwrap();
        let mut link = header(tar::EntryType::Symlink, "link", 0);
        link.set_link_name("modules/run.sh").unwrap();
        link.set_cksum();
        archive.append(&link, &[][..]).unwrap();
    });
    // Twice, as two attempts of a step do.
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        good.unpack(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("link")).unwrap(), "echo");
    }
}

#[test]
fn what_leaves_its_folder_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let refused = |archive: Upload| archive.unpack(&folder).unwrap_err();
    let above = packed(|archive| {
        archive.append(&header(tar::EntryType::Regular, "../above", 1), &b"x"[..]).unwrap();
    });
    assert_eq!(refused(above), "../above in the uploaded archive is outside of its folder");
    let device = packed(|archive| archive.append(&header(tar::EntryType::Fifo, "pipe", 0), &[][..]).unwrap());
    assert_eq!(refused(device), "pipe in the uploaded archive is neither a file, nor a folder, nor a link");
    let through = packed(|archive| {
        let mut link = header(tar::EntryType::Symlink, "up", 0);
        link.set_link_name("..").unwrap();
        link.set_cksum();
        archive.append(&link, &[][..]).unwrap();
        archive.append(&header(tar::EntryType::Regular, "up/through", 1), &b"x"[..]).unwrap();
    });
    assert!(refused(through).starts_with("up/through cannot be unpacked: "));
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "something was written outside");
}

#[test]
fn what_is_no_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = GzEncoder::new(Vec::new(), Compression::fast());
    text.write_all(&[b'x'; 2000]).unwrap();
    for bytes in [b"plain text".to_vec(), text.finish().unwrap()] {
        let reason = upload(&bytes).unpack(folder.path()).unwrap_err();
        assert!(reason.starts_with("the uploaded files are not an archive"), "{reason}");
    }
    assert!(upload(&[]).unpack(folder.path()).is_err());
}
