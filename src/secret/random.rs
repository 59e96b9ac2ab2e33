//! Random bytes of the operating system, and hexadecimal encoding.

use crate::error::{Error, Result};

/// Random bytes.
///
/// # Errors
/// When the operating system has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
    Ok(bytes)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let pairs = digits?;
    if pairs.len() % 2 != 0 {
        return None;
    }
    pairs
        .chunks(2)
        .map(|pair| pair.iter().try_fold(0_u32, |value, digit| Some(value * 16 + digit)))
        .map(|value| value.and_then(|v| u8::try_from(v).ok()))
        .collect()
}
