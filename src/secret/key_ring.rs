//! Sealed values: encrypted with XChaCha20-Poly1305 under the newest key of a ring. The key id precedes the ciphertext,
//! so that older keys still open the values that they sealed.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::random::{hex, random, unhex};
use super::redacted::Secret;
use crate::error::{CannotOpen, Error, Result};

const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// The row that a value is sealed for. The value cannot be opened for another row.
#[must_use]
pub fn place(table: &str, id: uuid::Uuid) -> String {
    format!("{table}/{id}")
}

/// The fingerprint of the key that a value was sealed with, in hexadecimal digits. The beginning of the value is enough.
#[must_use]
pub fn fingerprint(sealed: &[u8]) -> String {
    hex(sealed.get(..KEY_ID_LENGTH).unwrap_or(sealed))
}

/// The keys that seal stored values.
#[derive(Clone)]
pub struct KeyRing {
    newest: SealKey,
    older: Vec<SealKey>,
}

#[derive(Clone)]
struct SealKey {
    id: [u8; KEY_ID_LENGTH],
    cipher: XChaCha20Poly1305,
    /// A key of its own, from which names are derived.
    names: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({} keys)", self.older.len() + 1)
    }
}

impl KeyRing {
    /// Reads a key file: one key of 64 hexadecimal digits per line. The first key seals, all keys open.
    /// Creates a missing file with one new key, readable by its owner only.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a line is not a key.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                keep_private(path);
                Self::parse(&text, &named(path))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex(&*Zeroizing::new(random::<32>()?)))));
                let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(
                    |mut file| {
                        file.write_all(text.as_bytes())?;
                        file.sync_all()
                    },
                );
                created.map_err(|e| Error::internal(format!("cannot write the key file {}: {e}", path.display())))?;
                Self::parse(&text, &named(path))
            }
            Err(error) => Err(Error::internal(format!("cannot read the key file {}: {error}", path.display()))),
        }
    }

    /// Reads keys, one per line, from the source with this name.
    ///
    /// # Errors
    /// When a line is not a key.
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let mut keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| unhex(line).map(Zeroizing::new))
            .map(|bytes| bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok()).map(Zeroizing::new))
            .map(|bytes| bytes.map(|bytes| SealKey::new(&bytes)));
        let refused = || Error::internal(format!("every key in {source} must have 64 hexadecimal digits"));
        let newest = keys.next().flatten().ok_or_else(refused)?;
        let older = keys.collect::<Option<Vec<_>>>().ok_or_else(refused)?;
        Ok(Self { newest, older })
    }

    /// The fingerprints of the keys, in hexadecimal digits; the first one seals.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        std::iter::once(&self.newest).chain(&self.older).map(|key| hex(&key.id)).collect()
    }

    /// Seals `plain` for `place`, the table and row where it will be stored. It cannot be opened for another place.
    ///
    /// # Errors
    /// When the operating system has no random bytes.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let failed = || Error::internal("sealing failed");
        let nonce = random::<NONCE_LENGTH>()?;
        // Sealed where it is, because a value may be large.
        let mut sealed = Vec::with_capacity(KEY_ID_LENGTH + NONCE_LENGTH + plain.len() + TAG_LENGTH);
        sealed.extend_from_slice(&self.newest.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed.split_at_mut_checked(KEY_ID_LENGTH + NONCE_LENGTH).ok_or_else(failed)?;
        let tag = self
            .newest
            .cipher
            .encrypt_inout_detached(&XNonce::from(nonce), place.as_bytes(), body.into())
            .map_err(|_| failed())?;
        sealed.extend_from_slice(tag.as_slice());
        Ok(sealed)
    }

    /// Opens a value that was sealed for the same place.
    ///
    /// # Errors
    /// When the value was sealed with an unknown key or for another place, or was tampered with.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>> {
        let unknown = || Error::internal(CannotOpen("a value was sealed with a key that this server does not have"));
        let (id, rest) = sealed.split_at_checked(KEY_ID_LENGTH).ok_or_else(unknown)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LENGTH).ok_or_else(unknown)?;
        let nonce = <[u8; NONCE_LENGTH]>::try_from(nonce).map_err(Error::internal)?;
        let key = std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id).ok_or_else(unknown)?;
        let payload = Payload { msg: body, aad: place.as_bytes() };
        key.cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map(Secret::new)
            .map_err(|_| Error::internal(CannotOpen("a sealed value was tampered with or belongs to another row")))
    }

    /// A name that only this server can derive from `subject`: 32 hexadecimal digits.
    ///
    /// # Errors
    /// Never for keys of this length.
    pub fn secret_name(&self, subject: &str) -> Result<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.newest.names).map_err(Error::internal)?;
        mac.update(subject.as_bytes());
        let whole = hex(&mac.finalize().into_bytes());
        Ok(whole.chars().take(32).collect())
    }

    /// Opens a text.
    ///
    /// # Errors
    /// As `open`, and when the value is not UTF-8.
    pub fn open_text(&self, place: &str, sealed: &[u8]) -> Result<Secret<String>> {
        let bytes = self.open(place, sealed)?;
        let text = std::str::from_utf8(bytes.expose()).map_err(|_| Error::internal("a sealed text is not UTF-8"))?;
        Ok(Secret::new(text.to_owned()))
    }
}

impl SealKey {
    fn new(bytes: &[u8; 32]) -> Self {
        let digest = Sha256::digest(bytes);
        let mut id = [0; KEY_ID_LENGTH];
        for (to, from) in id.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        let names: [u8; 32] = Sha256::new().chain_update("windlass names").chain_update(bytes).finalize().into();
        Self { id, cipher: XChaCha20Poly1305::new(<&Key>::from(bytes)), names: Zeroizing::new(names) }
    }
}

/// Takes the key file away from other users of the machine. A group may be that of the server, as for a file that Kubernetes mounts.
fn keep_private(path: &Path) {
    let Ok(mode) = std::fs::metadata(path).map(|found| found.permissions().mode()) else { return };
    if mode & 0o007 == 0 {
        return;
    }
    match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o770)) {
        Ok(()) => tracing::warn!(path = %path.display(), "other users could read the key file; now they cannot"),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "other users of this machine can read the key file; remove their permissions");
        }
    }
}

fn named(path: &Path) -> String {
    format!("the key file {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::{KeyRing, Secret, hex};
    use crate::error::Result;

    fn parse(text: &str) -> Result<KeyRing> {
        KeyRing::parse(text, "the test")
    }

    const A: &str = "1111111111111111111111111111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    #[test]
    fn sealed_values_open_with_older_keys_but_not_elsewhere() {
        let old = parse(A).unwrap();
        let sealed = old.seal("registry/1", b"pass").unwrap();
        let both = parse(&format!("{B}\n{A}\n")).unwrap();
        assert_eq!(both.open("registry/1", &sealed).unwrap().expose(), b"pass");
        assert!(both.open("registry/2", &sealed).is_err());
        assert!(parse(B).unwrap().open("registry/1", &sealed).is_err());
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(old.open("registry/1", &changed).is_err());
        assert_ne!(sealed, old.seal("registry/1", b"pass").unwrap());
        let name = old.secret_name("a").unwrap();
        assert!(name.len() == 32 && name == old.secret_name("a").unwrap() && name != old.secret_name("b").unwrap());
        assert_ne!(name, both.secret_name("a").unwrap());
    }

    #[test]
    fn key_files_are_private_and_checked() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        KeyRing::load_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = KeyRing::load_or_create(&path).unwrap().seal("x", b"y").unwrap();
        assert!(KeyRing::load_or_create(&path).unwrap().open("x", &sealed).is_ok());
        assert!(parse("abc").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("pass".to_owned())), "[redacted]");
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
