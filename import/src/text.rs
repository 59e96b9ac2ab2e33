//! Pure: small readers and writers of text that several files share.

/// Shells that take a text after `-c`.
const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];

/// A text as it is written in JSON.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of a line, without the quotes around them or around their parts.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', Some('"') | None) => {
                let escaped = letters.next().unwrap_or('\\');
                word.get_or_insert_default().push(escaped);
            }
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, Some(open)) if letter == open => quote = None,
            (letter, None) if letter.is_whitespace() => found.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    found.extend(word);
    found
}

/// A span of time such as `90`, `5min` or `1h 30min`, in whole seconds.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let mut total = 0_u32;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let factor = match unit {
            "" | "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hr" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(factor)?)?;
        rest = after.trim_start();
    }
    Some(total)
}

/// The shell that the first line of a text names, with its options.
pub(crate) fn interpreter(text: &str) -> Option<Vec<String>> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let all = words(line);
    let is_shell = |word: &String| SHELLS.iter().any(|shell| word.rsplit('/').next() == Some(*shell));
    let named = match all.as_slice() {
        [env, shell, ..] if env.ends_with("/env") => is_shell(shell),
        [shell, ..] => is_shell(shell),
        [] => false,
    };
    named.then_some(all)
}

#[cfg(test)]
mod tests {
    use super::{interpreter, quoted, seconds, words};

    #[test]
    fn texts_are_read_and_written() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(
            words(r#"/bin/a  "two words" 'x "y"' a"b c"d \  ''"#),
            ["/bin/a", "two words", r#"x "y""#, "ab cd", " ", ""]
        );
        assert_eq!(words("  "), Vec::<String>::new());
        assert_eq!(interpreter("#!/bin/bash -x\nls"), Some(vec!["/bin/bash".into(), "-x".into()]));
        assert_eq!((interpreter("#!/usr/bin/env python3\n"), interpreter("ls")), (None, None));
        for (text, expected) in [
            ("90", Some(90)),
            ("5min", Some(300)),
            ("1h 30min", Some(5400)),
            ("2 days", Some(172_800)),
            ("5 moons", None),
            ("h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
