//! Pure: the dependency lock file inside a saved plan.
//!
//! A program refuses to apply a plan with other versions of providers than it was made with. If the repository has no lock file, `init`
//! selects the newest versions, which may have been published since. Both Terraform and OpenTofu keep a copy of the lock file in
//! the plan, which is a zip archive.

use std::io::{Cursor, Read};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

/// The name of the file, in the archive and in the folder of a module.
pub const LOCK_FILE: &str = ".terraform.lock.hcl";
/// The largest file that is taken, in bytes. A provider needs about 1 KiB.
const MOST: u64 = 256 * 1024;

/// The lock file in a plan. None if there is none, it is empty or too large, or the plan is no such archive, because it is encrypted.
#[must_use]
pub fn of_plan(plan: &[u8]) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(plan)).ok()?;
    let number = archive.index_for_name(LOCK_FILE)?;
    let mut entry = archive.by_index_raw(number).ok()?;
    let text = match entry.compression() {
        CompressionMethod::Stored => bounded(&mut entry),
        CompressionMethod::DEFLATE => bounded(&mut DeflateDecoder::new(&mut entry)),
        _ => None,
    }?;
    (!text.trim().is_empty()).then_some(text)
}

fn bounded(from: &mut impl Read) -> Option<String> {
    let mut text = String::new();
    let read = from.take(MOST + 1).read_to_string(&mut text).ok()?;
    (read as u64 <= MOST).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{LOCK_FILE, MOST, of_plan};

    fn plan(name: &str, text: &str) -> Vec<u8> {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn a_lock_file_is_found_if_there_is_one() {
        let text = "provider \"registry.example.com/corp/internal\" {\n  version = \"1.4.0\"\n}\n";
        assert_eq!(of_plan(&plan(LOCK_FILE, text)).as_deref(), Some(text));
        assert_eq!(of_plan(&plan("tfplan", text)), None);
        assert_eq!(of_plan(&plan(LOCK_FILE, "\n")), None);
        assert_eq!(of_plan(b"{\"encrypted_data\": \"\"}"), None);
        let large = "#".repeat(usize::try_from(MOST).unwrap());
        assert!(of_plan(&plan(LOCK_FILE, &large)).is_some());
        assert_eq!(of_plan(&plan(LOCK_FILE, &format!("{large}#"))), None);
    }
}
