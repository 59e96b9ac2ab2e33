//! The checksum of the files in a provider's archive, as lock files have it with the prefix `h1:`.

use std::fs::File;
use std::io::{BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipArchive};

/// The most files in an archive, and their bytes once they are unpacked.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The checksum of an archive. Blocks.
///
/// # Errors
/// Why the archive cannot be read.
pub(super) fn content_hash(file: &File) -> Result<String, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("must be a zip archive that can be read: {error}");
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(&error))?;
    if archive.len() > MOST_FILES {
        return Err(format!("must not have more than {MOST_FILES} files"));
    }
    let mut files = Vec::with_capacity(archive.len());
    let mut left = MOST_BYTES;
    for number in 0..archive.len() {
        // Only the two methods that every program knows, so that no other decompressor is needed.
        let mut entry = archive.by_index_raw(number).map_err(|error| unreadable(&error))?;
        let name = entry.name().map_err(|error| unreadable(&error))?.into_owned();
        if name.contains('\n') {
            return Err("must not have file names with line breaks".to_owned());
        }
        let (sum, bytes) = match entry.compression() {
            CompressionMethod::Stored => hashed(&mut entry, left),
            CompressionMethod::DEFLATE => hashed(&mut DeflateDecoder::new(&mut entry), left),
            other => return Err(format!("must have files that are stored or deflated, not {other}")),
        }
        .map_err(|error| unreadable(&error))?;
        left = left.checked_sub(bytes).filter(|left| *left > 0).ok_or("must not have more than 4 GiB of files")?;
        files.push((name, sum));
    }
    files.sort();
    let mut all = Sha256::new();
    for (name, sum) in files {
        all.update(format!("{sum}  {name}\n"));
    }
    Ok(format!("h1:{}", STANDARD.encode(all.finalize())))
}

/// The checksum of what is read, in hexadecimal digits, and its size.
fn hashed(from: &mut impl Read, most: u64) -> std::io::Result<(String, u64)> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    let mut from = from.take(most.saturating_add(1));
    loop {
        let read = from.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        sum.update(part);
        bytes += part.len() as u64;
    }
    Ok((hexadecimal(&sum.finalize()), bytes))
}

/// Bytes in lowercase hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::content_hash;

    /// Written out, from the format of Go's `dirhash`; the tests with the programs compare it with what they write into lock files.
    const EXPECTED: &str = "h1:c9kx41MfEyR7vDoBCPzQwO9IAmCl51mA23+m4LxTGsQ=";

    #[test]
    fn the_checksum_is_that_of_lock_files() {
        let mut file = tempfile::tempfile().unwrap();
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut archive = zip::ZipWriter::new(&mut file);
        for (name, text) in [("b", "two\n"), ("a", "one\n")] {
            archive.start_file(name, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        assert_eq!(content_hash(&file).unwrap(), EXPECTED);
        let mut other = tempfile::tempfile().unwrap();
        other.write_all(b"no archive").unwrap();
        assert!(content_hash(&other).unwrap_err().contains("zip archive"));
    }

    /// Two files that are deflated, as most programs write them.
    fn deflated() -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, text) in [(b"b", b"two\n"), (b"a", b"one\n")] {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            let packed = encoder.finish().unwrap();
            let mut sum = flate2::Crc::new();
            sum.update(text);
            let sizes = [u32::try_from(packed.len()).unwrap(), 4].map(u32::to_le_bytes).concat();
            // Version, flags, method, time, date, checksum, sizes, length of the name, length of the rest.
            let common =
                [&[20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0][..], &sum.sum().to_le_bytes(), &sizes, &[1, 0, 0, 0]].concat();
            let start = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            directory.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &start, name].concat());
            bytes.extend([&b"PK\x03\x04"[..], &common, name, &packed].concat());
        }
        let [size, start] = [directory.len(), bytes.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
        bytes.extend(directory);
        bytes.extend([&b"PK\x05\x06\0\0\0\0\x02\0\x02\0"[..], &size, &start, &[0, 0]].concat());
        bytes
    }

    #[test]
    fn files_may_be_deflated() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&deflated()).unwrap();
        assert_eq!(content_hash(&file).unwrap(), EXPECTED);
    }
}
