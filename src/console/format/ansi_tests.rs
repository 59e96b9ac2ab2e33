//! Tests of log lines with colors.

use proptest::prelude::*;

use super::{AnsiState, line, plain};

fn rendered(text: &str) -> String {
    line(text, &mut AnsiState::default()).into_string()
}

#[test]
fn colors_become_classes() {
    for (text, expected) in [
        ("plain <b>", "plain &lt;b&gt;"),
        ("\u{1b}[31mred\u{1b}[0m.", "<span class=\"f1\">red</span>."),
        ("\u{1b}[1;4;92mbright", "<span class=\"f10 bold underline\">bright</span>"),
        ("\u{1b}[38;5;196mcube", "<span class=\"f9\">cube</span>"),
        ("\u{1b}[48;5;244mgray", "<span class=\"b8\">gray</span>"),
        ("\u{1b}[38;2;0;0;0;43mtrue", "<span class=\"f0 b3\">true</span>"),
        (
            "\u{1b}[58;5;1;31mafter the color of an underline",
            "<span class=\"f1\">after the color of an underline</span>",
        ),
        ("\u{1b}[31m\u{1b}[39mdefault\u{1b}[m", "default"),
        ("\u{1b}[7mx\u{1b}[27my", "<span class=\"inverse\">x</span>y"),
        ("\u{9b}32mgreen", "<span class=\"f2\">green</span>"),
    ] {
        assert_eq!(rendered(text), expected, "{text:?}");
    }
}

#[test]
fn other_sequences_are_removed() {
    for (text, expected) in [
        ("a\u{1b}[2Kb\u{1b}[10;20Hc", "abc"),
        ("\u{1b}]0;title\u{7}shown", "shown"),
        ("\u{1b}]8;;https://example.com\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}(Btext\u{1b}=\u{1b}7.", "text."),
        ("cut\u{1b}[31", "cut"),
        ("cut\u{1b}]0;ti", "cut"),
        ("end\u{1b}", "end"),
        ("\u{1b}[<script>alert(1)", "cript&gt;alert(1)"),
        ("\u{1b}[3\u{e9}x", "\u{e9}x"),
    ] {
        assert_eq!(rendered(text), expected, "{text:?}");
    }
    assert_eq!(plain("\u{1b}[31m<red>\u{1b}[0m"), "<red>");
}

#[test]
fn colors_last_until_they_are_reset() {
    let mut state = AnsiState::default();
    assert_eq!(line("\u{1b}[1;33mfirst", &mut state).into_string(), "<span class=\"f3 bold\">first</span>");
    assert_eq!(line("second", &mut state).into_string(), "<span class=\"f3 bold\">second</span>");
    assert_eq!(line("third\u{1b}[0m", &mut state).into_string(), "<span class=\"f3 bold\">third</span>");
    assert_eq!(state, AnsiState::default());
}

fn pieces() -> impl Strategy<Value = Vec<(bool, String)>> {
    let sequence = prop_oneof![
        "\u{1b}\\[[0-9;:]{0,12}[A-Za-z]",
        "\u{1b}\\][^\u{7}\u{1b}\u{9c}]{0,8}\u{7}",
        "\u{1b}[()][0B]",
        "\u{1b}[78=>Mc]",
    ];
    let text = "[^\u{1b}\u{9b}]{0,12}";
    prop::collection::vec(
        prop_oneof![text.prop_map(|text| (true, text)), sequence.prop_map(|text| (false, text))],
        0..12,
    )
}

/// What a browser shows of markup that has only spans.
fn shown(markup: &str) -> String {
    let mut text = String::new();
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let (name, behind) = tag.split_once('>').unwrap();
        assert!(name == "/span" || name.starts_with("span class=\""), "{name}");
        rest = behind;
    }
    text.push_str(rest);
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

proptest! {
    #[test]
    fn the_text_stays(pieces in pieces()) {
        let input: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
        let expected: String = pieces.iter().filter(|(is_text, _)| *is_text).map(|(_, text)| text.as_str()).collect();
        prop_assert_eq!(&shown(&rendered(&input)), &expected);
        prop_assert_eq!(plain(&input), expected);
    }

    #[test]
    fn any_input_is_escaped(text in "[\u{1b}\u{9b}\\[\\]m0-9;<>&\"a-c\u{e9}]{0,40}") {
        let markup = rendered(&text);
        let has_escape = shown(&markup).contains('\u{1b}');
        prop_assert!(!has_escape);
        prop_assert_eq!(shown(&markup), plain(&text));
    }
}
