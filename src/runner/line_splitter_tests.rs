//! Tests of splitting output into lines.

use super::{LINE_BYTES, LineSplitter};

/// The lines of a text, given in pieces of each size; the end of each text says whether the line is open.
fn split(bytes: &[u8], size: usize) -> Vec<String> {
    let mut splitter = LineSplitter::default();
    let mut pieces: Vec<_> = bytes.chunks(size).flat_map(|chunk| splitter.add(chunk)).collect();
    pieces.extend(splitter.finish());
    pieces.into_iter().map(|piece| if piece.open { piece.text + "…" } else { piece.text }).collect()
}

#[test]
fn lines_do_not_depend_on_how_bytes_arrive() {
    for (given, expected) in [
        ("one\n\ntwo", vec!["one", "", "two"]),
        ("one\r\n\r\ntwo\r\n", vec!["one", "", "two"]),
        ("1 %\r2 %\r100 %\n", vec!["1 %", "2 %", "100 %"]),
        ("1 %\r2 %\r\n", vec!["1 %", "2 %"]),
        ("\r1 %\r\r\n\n", vec!["1 %", ""]),
        ("é\u{1f600}\r\u{1f600}", vec!["é\u{1f600}", "\u{1f600}"]),
        ("", vec![]),
    ] {
        for size in 1..9 {
            assert_eq!(split(given.as_bytes(), size), expected, "{given:?} in pieces of {size}");
        }
    }
    assert_eq!(split(b"a\xffb\n", 1), ["a\u{fffd}b"]);
}

#[test]
fn long_lines_are_split_between_characters() {
    let whole = "x".repeat(LINE_BYTES);
    assert_eq!(split(format!("{whole}\n").as_bytes(), 16_384), std::slice::from_ref(&whole), "no empty line follows");
    assert_eq!(split(whole.as_bytes(), 16_384), std::slice::from_ref(&whole));
    assert_eq!(split(format!("{whole}y\nz").as_bytes(), 16_384), [format!("{whole}…"), "y".into(), "z".into()]);
    // A character of two bytes lies across the limit.
    let across = format!("x{}", "é".repeat(LINE_BYTES / 2));
    let expected = [format!("x{}…", "é".repeat(LINE_BYTES / 2 - 1)), "é".to_owned()];
    for size in [16_384, 1_000_003, across.len()] {
        assert_eq!(split(across.as_bytes(), size), expected);
    }
}

/// What was shown before a line was complete is not repeated, and its line feed adds no empty line.
#[test]
fn parts_are_taken_before_a_line_is_complete() {
    let mut splitter = LineSplitter::default();
    assert!(splitter.add("Name? \u{e9}".as_bytes().split_last().unwrap().1).is_empty() && splitter.has_part());
    let part = splitter.take_part().unwrap();
    assert_eq!((part.text.as_str(), part.open), ("Name? ", true), "half a character stays");
    assert_eq!(splitter.take_part(), None);
    assert_eq!(splitter.add(&[0xa9])[..], []);
    assert_eq!(splitter.take_part().unwrap().text, "\u{e9}");
    assert_eq!(splitter.add(b"\n"), []);
    let texts: Vec<String> = splitter.add(b"\nlast\n").into_iter().map(|piece| piece.text).collect();
    assert_eq!(texts, ["", "last"]);
    splitter.add(b"50 %");
    splitter.take_part();
    assert_eq!(splitter.add(b"\r\n"), []);
    assert_eq!(splitter.finish(), None);
}
