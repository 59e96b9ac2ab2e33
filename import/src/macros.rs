//! Pure: the macros of dialects.

use super::rules::Macros;
use super::translation::Refusal;

/// The five fields that a macro stands for; the text itself if it is none.
pub(crate) fn expanded<'a>(dialect: &str, text: &'a str, macros: Macros) -> Result<&'a str, Refusal> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    let refuse = |why: &str| Err(Refusal::new(dialect, text, why));
    let lower = text.to_ascii_lowercase();
    let usual = matches!(macros, Macros::Usual | Macros::NoMidnight);
    match (macros, lower.as_str()) {
        (_, "@reboot") => refuse("a start of the machine has no equivalent"),
        (_, text) if text.starts_with("@every") => refuse("it counts from the start of the process, not by the clock"),
        (_, "@yearly" | "@annually") if usual => Ok("0 0 1 1 *"),
        (_, "@monthly") if usual => Ok("0 0 1 * *"),
        (_, "@weekly") if usual => Ok("0 0 * * 0"),
        (Macros::Usual, "@midnight") => Ok("0 0 * * *"),
        (_, "@daily") if usual => Ok("0 0 * * *"),
        (_, "@hourly") if usual => Ok("0 * * * *"),
        (Macros::Jenkins, "@yearly" | "@annually") => Ok("H H H H *"),
        (Macros::Jenkins, "@monthly") => Ok("H H H * *"),
        (Macros::Jenkins, "@weekly") => Ok("H H * * H"),
        (Macros::Jenkins, "@daily") => Ok("H H * * *"),
        (Macros::Jenkins, "@midnight") => Ok("H H(0-2) * * *"),
        (Macros::Jenkins, "@hourly") => Ok("H * * * *"),
        _ => refuse("this macro is not known"),
    }
}
