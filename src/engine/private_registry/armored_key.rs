//! Pure: the id of a public `OpenPGP` key in its text form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// The tag of a packet with a public key.
const PUBLIC_KEY: u8 = 6;

/// The longest key, in characters.
pub(super) const LONGEST: usize = 64 * 1024;

/// The key id: the last 16 hexadecimal digits of the fingerprint of the first key in a block.
///
/// # Errors
/// What a key has to be.
pub(super) fn key_id(text: &str) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(format!("must not be longer than {LONGEST} characters"));
    }
    let wrong = || {
        format!(
            "must be one public OpenPGP key of version 4 that begins with {BEGIN}, as gpg --armor --export writes it"
        )
    };
    let bytes = decoded(text).ok_or_else(wrong)?;
    let packet = public_key(&bytes).ok_or_else(wrong)?;
    let length = u16::try_from(packet.len()).map_err(|_| wrong())?.to_be_bytes();
    let hashed = [&[0x99], length.as_slice(), packet].concat();
    let fingerprint = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &hashed);
    let last: Vec<String> = fingerprint.as_ref().iter().skip(12).map(|byte| format!("{byte:02X}")).collect();
    Ok(last.concat())
}

/// The bytes of a block: after its headers, and before its checksum.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.trim().split_once(BEGIN)?;
    let (body, after) = rest.split_once(END)?;
    if !text.trim().starts_with(BEGIN) || !after.trim().is_empty() {
        return None;
    }
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains(": "));
    let data: String = lines.take_while(|line| !line.starts_with('=')).collect();
    STANDARD.decode(data).ok()
}

/// The contents of the first packet, which has to be a public key of version 4.
fn public_key(bytes: &[u8]) -> Option<&[u8]> {
    let (&head, rest) = bytes.split_first()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let (tag, length, start) = if head & 0xc0 == 0xc0 {
        let (length, start) = match *rest.first()? {
            short @ 0..=191 => (usize::from(short), 1),
            first @ 192..=223 => ((usize::from(first) - 192) * 256 + usize::from(*rest.get(1)?) + 192, 2),
            255 => (number(rest.get(1..5)?), 5),
            224..=254 => return None,
        };
        (head & 0x3f, length, start)
    } else if head & 0x80 != 0 {
        let size = match head & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => return None,
        };
        ((head >> 2) & 0x0f, number(rest.get(..size)?), size)
    } else {
        return None;
    };
    let packet = rest.get(start..start.checked_add(length)?)?;
    (tag == PUBLIC_KEY && packet.first() == Some(&4)).then_some(packet)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{BEGIN, END, key_id};

    fn block(bytes: &[u8]) -> String {
        format!("{BEGIN}\nComment: x\n\n{}\n=abcd\n{END}\n", STANDARD.encode(bytes))
    }

    #[test]
    fn the_id_is_the_end_of_the_fingerprint() {
        let packet: Vec<u8> = [4, 0x53, 0x5c, 0xd7, 0xd8, 22].into_iter().chain(0..45).collect();
        let mut old = vec![0x98, u8::try_from(packet.len()).unwrap()];
        old.extend(&packet);
        let mut new = vec![0xc6, u8::try_from(packet.len()).unwrap()];
        new.extend(&packet);
        let id = key_id(&block(&old)).unwrap();
        assert_eq!(id.len(), 16);
        assert_eq!(id, key_id(&block(&new)).unwrap(), "both forms of a packet are the same key");
        for wrong in
            ["", "x", BEGIN, &block(&[]), &block(&old[..20]), &block(&[0x88, 1, 4]), &format!("{}x", block(&old))]
        {
            assert!(key_id(wrong).unwrap_err().contains("gpg --armor"), "{wrong}");
        }
    }
}
