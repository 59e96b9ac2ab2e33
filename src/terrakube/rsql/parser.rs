//! Pure: parses RSQL filters (a superset of FIQL) into a tree of bounded size.
//!
//! ```text
//! any        = all *( ( "," / " or " ) all )
//! all        = term *( ( ";" / " and " ) term )
//! term       = "(" any ")" / selector operator [ value / "(" value *( "," value ) ")" ]
//! ```
//!
//! A value is quoted with ' or ", with \ as the escape character, or extends to the next reserved character.
//! Grammar: <https://github.com/jirutka/rsql-parser#grammar-and-semantic>.

use super::syntax::{Comparison, Filter, OPERATORS, Operator};
use crate::input::bounds::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};

/// Why a filter is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::terrakube) struct FilterError(pub(in crate::terrakube) String);

/// The characters that end a selector or an unquoted value.
const RESERVED: &str = "\"'();,=!~<> ";

/// Parses a filter.
///
/// # Errors
/// The error states the expected token and its position.
pub(in crate::terrakube) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > FILTER_BYTES {
        return Err(FilterError(format!("a filter must have at most {FILTER_BYTES} bytes")));
    }
    let mut parser = Parser { text, at: 0, terms: 0 };
    let filter = parser.any(0)?;
    parser.spaces();
    match parser.rest() {
        "" => Ok(filter),
        _ => Err(parser.expected("the end of the filter, ';' or ','")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> FilterError {
        FilterError(format!(
            "expected {what} at character {}",
            self.text.get(..self.at).unwrap_or_default().chars().count() + 1
        ))
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// Consumes `word` if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    /// Consumes an operator that joins two parts, with the spaces around it.
    fn join(&mut self, sign: &str, word: &str) -> bool {
        let before = self.at;
        self.spaces();
        if self.take(sign) {
            return true;
        }
        // A word counts only between spaces: it may be the start of a longer name.
        if self.at > before && self.take(word) && self.rest().starts_with([' ', '(']) {
            return true;
        }
        self.at = before;
        false
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.join(",", "or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.term(depth)?];
        while self.join(";", "and") {
            parts.push(self.term(depth)?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn term(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.spaces();
        if self.take("(") {
            if depth == FILTER_DEPTH {
                return Err(FilterError(format!("groups must be nested at most {FILTER_DEPTH} deep")));
            }
            let inner = self.any(depth + 1)?;
            self.spaces();
            return if self.take(")") { Ok(inner) } else { Err(self.expected("')'")) };
        }
        self.terms += 1;
        if self.terms > FILTER_TERMS {
            return Err(FilterError(format!("a filter must have at most {FILTER_TERMS} comparisons")));
        }
        let selector = self.bare();
        if selector.is_empty() {
            return Err(self.expected("the name of a field"));
        }
        self.spaces();
        let found = OPERATORS.iter().find(|(text, _)| self.rest().starts_with(text));
        let Some(&(written, operator)) = found else { return Err(self.expected("an operator")) };
        self.at += written.len();
        let values = self.values()?;
        let wanted = match operator {
            Operator::Between | Operator::NotBetween => values.len() == 2,
            Operator::In | Operator::NotIn | Operator::InFolded | Operator::NotInFolded => true,
            _ => values.len() == 1,
        };
        if !wanted {
            return Err(FilterError(format!("{written} does not take {} values", values.len())));
        }
        Ok(Filter::Is(Comparison { selector, operator, values }))
    }

    fn values(&mut self) -> Result<Vec<String>, FilterError> {
        self.spaces();
        if !self.take("(") {
            return Ok(vec![self.value()?]);
        }
        let mut values = Vec::new();
        loop {
            self.spaces();
            values.push(self.value()?);
            if values.len() > FILTER_TERMS {
                return Err(FilterError(format!("a comparison must have at most {FILTER_TERMS} values")));
            }
            self.spaces();
            if self.take(")") {
                return Ok(values);
            }
            if !self.take(",") {
                return Err(self.expected("',' or ')'"));
            }
        }
    }

    fn bare(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|sign| RESERVED.contains(sign)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default().to_owned();
        self.at += end;
        word
    }

    fn value(&mut self) -> Result<String, FilterError> {
        let Some(quote) = self.rest().chars().next().filter(|sign| ['\'', '"'].contains(sign)) else {
            let word = self.bare();
            return if word.is_empty() { Err(self.expected("a value")) } else { Ok(word) };
        };
        let mut value = String::new();
        let mut signs = self.rest().char_indices().skip(1);
        while let Some((at, sign)) = signs.next() {
            if sign == quote {
                self.at += at + 1;
                return Ok(value);
            }
            match sign {
                '\\' => value.extend(signs.next().map(|(_, sign)| sign)),
                sign => value.push(sign),
            }
        }
        Err(self.expected(&format!("a closing {quote}")))
    }
}

fn one_or(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            join(parts)
        }
    }
}
