//! Pure: the lines of a text at which its parts are found, one after the other.

/// A place in a text.
pub(crate) struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// The line of a key of JSON or YAML, wherever it is; the first one if it is nowhere.
    pub(crate) fn of_key(text: &'a str, key: &str) -> usize {
        let forms = [format!("\"{key}\":"), format!("{key}:"), format!("\"{key}\"")];
        let found = forms.iter().find(|form| text.contains(form.as_str()));
        found.map_or(1, |form| Self::of(text).find(form))
    }

    /// The line of the next field of JSON or YAML with a value; the current one if there is none. The search goes on behind it.
    pub(crate) fn find_field(&mut self, key: &str, value: &str) -> usize {
        let forms = [
            format!("\"{key}\": \"{value}\""),
            format!("\"{key}\":\"{value}\""),
            format!("{key}: \"{value}\""),
            format!("{key}: '{value}'"),
            format!("{key}: {value}"),
        ];
        let first = forms.iter().filter_map(|form| Some((self.rest.find(form.as_str())?, form))).min();
        first.map_or(self.line, |(_, form)| self.find(form))
    }

    /// The line of the next occurrence of a part; the current one if there is none. The search goes on behind it.
    pub(crate) fn find(&mut self, part: &str) -> usize {
        let found = if part.is_empty() { None } else { self.rest.split_once(part) };
        if let Some((before, after)) = found {
            self.line += before.matches('\n').count();
            let at = self.line;
            self.line += part.matches('\n').count();
            self.rest = after;
            return at;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn parts_are_found_in_order() {
        let mut lines = Lines::of("a\nb\nc b\nd\n");
        assert_eq!(
            [lines.find("b"), lines.find("b"), lines.find("a"), lines.find(""), lines.find("d\n")],
            [2, 3, 3, 3, 4]
        );
        assert_eq!(lines.find("x"), 5);
        let mut fields = Lines::of("b x\na: x\n\"a\": \"x\",\na: 'x'\n");
        let found = [fields.find_field("a", "x"), fields.find_field("a", "x"), fields.find_field("a", "x")];
        assert_eq!((found, fields.find_field("a", "x")), ([2, 3, 4], 4));
        let text = "a: 1\n\"b\": 2\n";
        assert_eq!([Lines::of_key(text, "a"), Lines::of_key(text, "b"), Lines::of_key(text, "c")], [1, 2, 1]);
    }
}
