//! Pure: the keys of the server inside a backup, sealed by a passphrase: Argon2id makes guesses expensive, and XChaCha20-Poly1305
//! seals under the key that it derives.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::backup_header::Keys;
use super::damage::Damage;

const DERIVATION: &str = "argon2id";
const CIPHER: &str = "xchacha20poly1305";
/// Memory and passes of a derivation: 128 MiB and about half a second.
const MEMORY_KIB: u32 = 128 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// What a file may ask for.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 32;
const MOST_LANES: u32 = 16;
/// The sealed text is bound to its purpose.
const PURPOSE: &[u8] = b"the keys in a backup of windlass";

/// The random numbers of a seal.
pub struct Random {
    pub salt: [u8; 16],
    pub nonce: [u8; 24],
}

/// Seals the text of a key file.
///
/// # Errors
/// When there is not enough memory.
pub fn seal(text: &str, passphrase: &str, random: &Random) -> Result<Keys, Damage> {
    let mut keys = Keys {
        derivation: DERIVATION.into(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        lanes: LANES,
        salt: STANDARD.encode(random.salt),
        cipher: CIPHER.into(),
        nonce: STANDARD.encode(random.nonce),
        sealed: String::new(),
    };
    let payload = Payload { msg: text.as_bytes(), aad: PURPOSE };
    let sealed = cipher(&keys, passphrase)?.encrypt(&XNonce::from(random.nonce), payload);
    keys.sealed = STANDARD.encode(sealed.map_err(|_| Damage("the keys cannot be sealed".into()))?);
    Ok(keys)
}

/// Opens the text of a key file.
///
/// # Errors
/// When the passphrase is another one, or the keys were changed.
pub fn open(keys: &Keys, passphrase: &str) -> Result<Zeroizing<String>, Damage> {
    let damaged = || Damage("the keys in the backup cannot be read".into());
    let nonce = STANDARD.decode(&keys.nonce).ok().and_then(|nonce| <[u8; 24]>::try_from(nonce).ok());
    let nonce = XNonce::from(nonce.ok_or_else(damaged)?);
    let sealed = STANDARD.decode(&keys.sealed).map_err(|_| damaged())?;
    let payload = Payload { msg: &sealed, aad: PURPOSE };
    let opened = cipher(keys, passphrase)?
        .decrypt(&nonce, payload)
        .map_err(|_| Damage("the passphrase is not that of the keys in the backup".into()))?;
    String::from_utf8(opened).map(Zeroizing::new).map_err(|_| damaged())
}

fn cipher(keys: &Keys, passphrase: &str) -> Result<XChaCha20Poly1305, Damage> {
    let unknown = || Damage("the keys in the backup are sealed in a way that this program does not know".into());
    if keys.derivation != DERIVATION || keys.cipher != CIPHER {
        return Err(unknown());
    }
    if keys.memory_kib > MOST_MEMORY_KIB || keys.passes > MOST_PASSES || keys.lanes > MOST_LANES {
        return Err(Damage("opening the keys in the backup would take too much memory or time".into()));
    }
    let parameters = Params::new(keys.memory_kib, keys.passes, keys.lanes, Some(32)).map_err(|_| unknown())?;
    let salt = STANDARD.decode(&keys.salt).map_err(|_| unknown())?;
    let mut key = Zeroizing::new([0_u8; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(passphrase.as_bytes(), &salt, &mut *key)
        .map_err(|_| unknown())?;
    Ok(XChaCha20Poly1305::new(<&Key>::from(&*key)))
}

#[cfg(test)]
mod tests {
    use super::{Damage, Random, open, seal};

    #[test]
    fn keys_open_with_their_passphrase_only() {
        let random = Random { salt: [1; 16], nonce: [2; 24] };
        let keys = seal("a key\n", "correct horse battery", &random).unwrap();
        assert!(!serde_json::to_string(&keys).unwrap().contains("a key"));
        assert_eq!(*open(&keys, "correct horse battery").unwrap(), "a key\n");
        let refused = |keys, passphrase| open(keys, passphrase).unwrap_err();
        assert_eq!(
            refused(&keys, "another one"),
            Damage("the passphrase is not that of the keys in the backup".into())
        );
        let mut greedy = keys.clone();
        greedy.memory_kib = u32::MAX;
        assert!(refused(&greedy, "correct horse battery").0.contains("too much memory"));
        let mut other = keys.clone();
        other.derivation = "pbkdf2".into();
        assert!(refused(&other, "correct horse battery").0.contains("does not know"));
        let mut weaker = keys.clone();
        weaker.passes -= 1;
        assert_eq!(refused(&weaker, "correct horse battery").0, "the passphrase is not that of the keys in the backup");
    }
}
